"""Messages inside control requests: our own ``.proto`` text and what protoc makes of it.

Field numbers and types: reference usb-and-serial 4. After a change run, at the top of the project::

    python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. drivers/wire/proto/system.proto \
        drivers/wire/proto/network.proto

A test compares the committed result with what the text gives. Where the unit writes text of unknown
encoding (network names) the field is ``bytes`` here: the wire form is the same.
"""
