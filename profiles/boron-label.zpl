^XA
^FX What a printer of 203 dpi prints on 50 x 25 mm. Fields stand in braces, only between ^FD and ^FS; a line of ^FX is not printed. ^FS
^FX Width and height of the label in dots, 8 to the millimetre. ^FS
^PW400
^LL200
^FX The Data Matrix that is scanned back: ^FO places it, ^BXN,5 makes its modules 5 dots, 200 is ECC 200. ^FS
^FO20,20^BXN,5,200^FD{device_id}^FS
^FX What people read; ^A0N,22,22 is the printer's own font, 22 dots high. The Device ID must be among it. ^FS
^FO150,20^A0N,30,30^FD{sku}^FS
^FO150,60^A0N,22,22^FDS/N {serial}^FS
^FO150,90^A0N,22,22^FDOS {device_os}^FS
^FO150,120^A0N,22,22^FD{batch}^FS
^FO20,165^A0N,20,20^FD{device_id}^FS
^XZ
