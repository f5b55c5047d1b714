^XA
^FX What a unit that failed gets: no code, so that nobody scans it for a good one. ^FS
^PW400
^LL200
^FO20,20^A0N,60,60^FDFAIL^FS
^FX ^FB breaks the reason into up to 3 lines of 360 dots. ^FS
^FO20,90^A0N,22,22^FB360,3^FD{reason}^FS
^FO20,170^A0N,20,20^FD{device_id}^FS
^XZ
