# Was es bedeutet, dass ein Versuch mit einem Satz des Katalogs endete, und `.try`: was als Nächstes zu versuchen ist.

## Bestanden, aber nicht mehr bewiesen

why-by_hand = Seit dem letzten Durchlauf hat jemand es von Hand bedient, an der Konsole oder in einem anderen Modus: was bewiesen war, kann sich geändert haben.
    .try = Wiederholen (R): was noch stimmt, ist in Sekunden durch, der Rest wird neu gemacht. Bis dahin gilt es nicht.

## Das falsche Gerät

why-wrong_platform = Die USB-Kennung nennt eine andere Plattform als die der offenen Charge. Nichts wurde gefragt oder geschrieben.
    .try = Zurück in seine eigene Charge geben; oder eine für diese Plattform öffnen, dann geht es von selbst weiter.
why-no_unit = An einem Port der Station steckt ein USB-Gerät, das kein Particle-Gerät ist.
    .try = Herausnehmen, oder den Port unter ports.ignore in die Konfiguration der Station schreiben.
why-no_profile = Keine offene Charge hat ein Profil für diese Plattform. Nichts wurde gefragt oder geschrieben.
    .try = Eine Charge für diese Plattform öffnen, dann geht es von selbst weiter; oder zurück in seine eigene geben.
why-no_batch = An dieser Station ist keine Charge offen. Nichts wurde gefragt oder geschrieben.
    .try = Eine Charge öffnen, dann geht es von selbst weiter; oder das Gerät solange herausnehmen.
why-wrong_label = Dasselbe gültige Etikett wurde zweimal gelesen und gehört keinem anderen bekannten Gerät: vertauscht.
    .try = Das Gerät dieses Etiketts über die Seriennummer suchen, das richtige Etikett anbringen, dann wiederholen.
why-wrong_card = Die gelesene SIM-Karte und die im Modem haben verschiedene ICCIDs.
    .try = Die Nummer auf der Karte mit der ICCID unten vergleichen; Karten zurücktauschen, dann wiederholen.
why-numbers_differ = Zwei Quellen eines Geräts nennen für dieselbe Identität verschiedene Werte.
    .try = Unten nachsehen, welche Quellen abweichen. Einmal wiederholen; bleibt es so, das Gerät beiseitelegen.
why-record_differs = Was die Cloud zu dieser Device ID kennt (Seriennummer, ICCID, Plattform), sagt das Gerät anders.
    .try = Beide Werte unten vergleichen; ein getauschtes Modem oder eine SIM erklärt es. Sonst den Hersteller fragen.
why-twin = Zwei Geräte nennen dieselbe Device ID. Die gibt es nur einmal: eines ist eine Kopie oder sein Speicher kaputt.
    .try = Beide beiseitelegen, die Etiketten notieren und jedes allein an einem anderen Port auslesen.
why-wrong_sku = Die Bestellnummer des Geräts ist keine, die das Profil erlaubt.
    .try = Rolle oder Tablett prüfen: ist es das bestellte Teil? Wenn ja, die SKU ins Profil aufnehmen.
why-wrong_product = Das Gerät gehört zu einem anderen Produkt, und das Profil darf es nicht umziehen.
    .try = Dort mit „station rework remove“ entfernen oder per Liste umziehen; dann wiederholen.
why-already_elsewhere = Die Cloud zählt das Gerät schon in einem anderen Produkt.
    .try = Klären, wessen Produkt das ist. Eigenes: per Nacharbeitsliste umziehen; fremdes: beiseitelegen.
why-owner_other = Ein anderes Konto hat das Gerät übernommen, von hier aus geht es nicht.
    .try = Der Besitzer gibt es frei, oder „station rework unclaim“ im eigenen Produkt; dann wiederholen.
why-unknown_serial = Was als Seriennummer gelesen wurde, kann keine sein.
    .try = Etikett reinigen und neu lesen; mit der Seriennummer vergleichen, die das Gerät nennt.
why-label_not_scanned = Das eigene Etikett dieses Geräts wurde in der Zeit des Profils nicht gelesen.
    .try = Wiederholen und das Etikett genau dieses Geräts lesen; der Scanner muss mit Enter enden.
why-strange_identity = Eine Identität hat eine unmögliche Form. Speicher oder Funkteil sind vielleicht kaputt.
    .try = Einmal an einem anderen Port wiederholen. Bleibt der Wert, das Gerät zur Analyse beiseitelegen.
why-identity_missing = Das Gerät nennt einen Wert nicht, den seine Plattform haben muss.
    .try = Im Einrichtmodus wiederholen, wenn es ein Wert von Modem oder MAC ist. Bleibt er aus, Gerät tauschen.
why-quarantined = Das Produkt hält das Gerät zurück: es nannte das Produkt, bevor es jemand eingetragen hat.
    .try = In der Konsole oder mit „station rework approve“ annehmen; dann wiederholen.
why-marked = Das Gerät hat die Entwicklungsmarke und würde freigegebene Firmware nicht nehmen (D8).
    .try = Die Marke mit „station rework“ oder in der Konsole entfernen; dann wiederholen.
why-bad_device_id = Die Cloud kennt diese Device ID nicht und nimmt sie in kein Produkt.
    .try = Die Device ID unten mit den Papieren vergleichen; den Hersteller bitten, sie einzutragen.

## Ein schlechtes Gerät

why-unit_rejected = Das Gerät erfüllt nicht, was das Profil will; welcher Teil, steht oben.
    .try = Den Grund mit dem Profil vergleichen; einmal wiederholen, dann beiseitelegen.
why-unit_refused = Das Gerät lehnte einen Befehl ab, auch beim zweiten Mal.
    .try = Neu starten (M), dann wiederholen. Kennt sein Device OS den Befehl von oben?
why-protected = Der Geräteschutz ist an: ohne Schlüssel nimmt es keine Firmware und wenige Befehle.
    .try = Fertigt das Profil geschützte Geräte, ist es vielleicht schon fertig. Sonst erst den Schutz aufheben.
why-wifi_join_failed = Dieses Gerät kam nicht ins Netz, obwohl das WLAN der Station andere bedient.
    .try = Antenne und Stecker ansehen; näher heran und wiederholen. Nochmals schlecht: sein Funk ist kaputt.
why-wifi_deaf = Das Gerät findet gar kein Netz, andere an dieser Station schon.
    .try = Antenne aufstecken oder tauschen, die gewählte Antenne prüfen, dann wiederholen.
why-wifi_weak = Das Signal am Gerät liegt unter der Grenze des Profils.
    .try = Antenne festdrücken, Metall entfernen, dann wiederholen (R). Noch schwach: mit einem guten Gerät am selben Platz vergleichen.
why-listening_after_setup = Nach Einrichten und Neustart hört das Gerät noch zu: die Marke oder die Zugangsdaten sind weg.
    .try = Wiederholen (R). Blinkt es wieder dunkelblau, ist sein Speicher schlecht.
why-write_failed = Der Bootloader meldete beim Schreiben einen Fehler.
    .try = Anderes Kabel, Port ohne Hub, dann wiederholen (R). Gleiche Adresse nochmals: Flash kaputt.
why-update_not_applied = Die Datei kam an, nach dem Neustart läuft aber die alte Version.
    .try = Wiederholen; bleibt es, die Abhängigkeiten des Moduls und den Stand des Bootloaders prüfen.
why-verify_failed = Das Zurückgelesene ist nicht das Geschriebene.
    .try = Anderes Kabel, dann wiederholen (R). Weicht dieselbe Stelle ab, ist der Flash kaputt.
why-sim_failed = Die SIM ließ sich nicht aktivieren, oder die Cloud meldet für sie einen Fehler.
    .try = Die ICCID in der Konsole suchen: fremdes Konto, abgeschaltet? Dann wiederholen (R).
why-sim_odd = Die Cloud kennt diese ICCID nicht; vielleicht eine SIM eines anderen Anbieters.
    .try = Mit der Nummer auf der Karte vergleichen. Eingebaute SIM nehmen oder die fremde im Profil nennen.
why-sim_off = Die Cloud zeigt die SIM als abgeschaltet.
    .try = In der Konsole einschalten oder klären, wer sie warum abschaltete; dann wiederholen (R).
why-sim_foreign = Die SIM gehört einem anderen Konto.
    .try = Der Besitzer gibt sie frei; hier eintragen und wiederholen (R).
why-sim_released = Die SIM wurde freigegeben und ist in keinem Produkt.
    .try = Mit „station sim import“ oder in der Konsole wieder eintragen; dann wiederholen (R).
why-sim_external = Das Modem arbeitet mit der SIM im Halter statt mit der eingebauten.
    .try = Karte herausnehmen, Gerät neu starten (M), dann wiederholen.
why-sim_missing = Das Modem meldet keine SIM.
    .try = Karte richtig einlegen, Kontakte ansehen. Bei eingebauter SIM neu starten und wiederholen.
why-not_online = Das Gerät erreichte die Cloud nicht rechtzeitig. WLAN, SIM und Produkt sahen gut aus.
    .try = Licht ansehen (P): Grün ist kein Netz, blinkendes Cyan sind Schlüssel oder Firewall. Antenne prüfen.
why-not_online_sim_active = Die SIM ist aktiv, das Netz lässt das Gerät aber nicht hinein: das Modem ist vielleicht gesperrt (A12).
    .try = SIM nicht tauschen. Den Hersteller nach der IMEI unten fragen; Empfang mit gutem Gerät prüfen.
why-not_online_sim = Das Gerät kann nicht online gehen, seine SIM ist noch nicht aktiv.
    .try = Auf die Aktivierung warten (bis zu einer Stunde), dann wiederholen (R).
why-not_claimed = Nach der Übernahme zeigt die Cloud keinen oder einen anderen Besitzer.
    .try = Wiederholen (R). Bleibt es, das Konto der Station prüfen: station whoami.
why-name_taken = Ein anderes Gerät des Kontos heißt schon so.
    .try = Das andere Gerät suchen und umbenennen, oder die Namensvorlage im Profil ändern.
why-final_check_failed = Beim letzten Blick war etwas nicht mehr so, wie das Profil es will.
    .try = Oben lesen, was abweicht; wiederholen (R): nur das wird neu gesetzt. Ändert jemand anderes das Gerät?

## Werte

why-value_outside = Ein Messwert liegt zweimal außerhalb seiner Grenzen.
    .try = Aufnahme und Kontakte mit einem guten Gerät prüfen; dann neu messen: wiederholen (R).
why-value_too_low = Ein Messwert liegt zweimal unter seiner Grenze.
    .try = Versorgung, Aufnahme und Kontakte mit einem guten Gerät prüfen; dann neu messen: wiederholen (R).
why-value_too_high = Ein Messwert liegt zweimal über seiner Grenze.
    .try = Kurzschluss oder falsches Teil suchen; Aufnahme mit einem guten Gerät prüfen; neu messen: wiederholen (R).
why-value_differs = Die Anwendung nannte einen anderen Wert, als das Profil will.
    .try = Beide Werte oben vergleichen; ist es die richtige Testfirmware in der richtigen Version?
why-value_no_number = Die Anwendung nannte einen Text, wo das Profil eine Zahl will.
    .try = Version der Testfirmware mit dem Profil vergleichen.
why-value_missing = In der Antwort der Anwendung fehlt ein Wert des Profils.
    .try = Version der Testfirmware mit dem Profil vergleichen.
why-value_untold = Das Testprogramm nennt diesen Wert gar nicht, so ist kein Gerät zu beurteilen.
    .try = Den Namen im Profil oder das Programm berichtigen; dann wiederholen.
why-answer_garbled = Die Antwort des Tests hatte nicht die vereinbarte Form. Das Gerät ist nicht beurteilt.
    .try = Schritt noch einmal ausführen (Enter), Antwort auf der Leitung lesen, Testprogramm berichtigen.
why-unsteady = Derselbe Test lag einmal in den Grenzen und einmal nicht. Das Gerät ist nicht beurteilt.
    .try = Kontakte und Versorgung der Aufnahme prüfen; dann wiederholen (R).
why-app_silent = Die Anwendung antwortet dem Test nicht. Vielleicht läuft sie nicht oder ist die falsche.
    .try = Licht ansehen (P); Gerät neu starten (M) und wiederholen. Ist die richtige Anwendung darauf?
why-instrument_failed = Das Messgerät maß nicht. Über das Gerät sagt das nichts.
    .try = Kabel, Strom und Programm prüfen; den Befehl des Profils von Hand ausführen.

## Firmware

why-firmware_refused = Die Station schrieb diese Datei nicht: sie passt nicht zum Gerät oder ist beschädigt.
    .try = Oben lesen, welche Prüfung schlecht war; Datei mit „station firmware“ neu holen oder Profil berichtigen.
why-dependency_missing = Ein Modul braucht zuerst ein anderes, das im Profil fehlt.
    .try = Das genannte Modul ins Profil aufnehmen, oder erst auf eine Zwischenversion gehen.
why-downgrade_refused = Das Gerät hat ein neueres Device OS, als die Charge will, und das Profil erlaubt kein Zurück.
    .try = Die Version im Profil erhöhen, oder dort das Zurück mit Absicht erlauben.

## Gestoppt

why-unplugged_too_early = Das Gerät verließ den Port, während ein Schritt lief. Es ist nicht beurteilt.
    .try = Wieder einstecken: es geht weiter. Hat niemand gezogen, Kabel oder Port wechseln.
why-stopped_by_operator = Jemand hat diesen Versuch gestoppt. Das Gerät ist nicht beurteilt.
    .try = Wieder einstecken oder wiederholen (R).
why-swapped = Statt des erwarteten kam ein anderes Gerät an den Port. Beurteilt ist dadurch keines.
    .try = Das erste Gerät wieder einstecken; das andere für sich bearbeiten.
why-part_walked = Nur ein Teil des Profils lief, das ist nie ein Gut.
    .try = Für ein Urteil wiederholen (R).
why-station_closing = Die Station wurde währenddessen geschlossen. Das Gerät ist nicht beurteilt.
    .try = Nach dem Start wieder einstecken: nur was fehlt, wird getan.

## Die Station, nicht das Gerät

why-silent = Das Gerät ist am Bus, gab aber keine brauchbare Antwort: keine rechtzeitig, oder eine verstümmelte. Nicht beurteilt.
    .try = Neu einstecken; anderes Kabel, Port ohne Hub; Neustart (M). Überall stumm, dann hängt es: Taste halten, RESET tippen, bei Gelb loslassen; wiederholen (R).
why-bad_contact = Übertragungen brachen immer wieder ab: Kabel, Stecker oder Hub.
    .try = Kabel wechseln, dann den Port. Mit einem anderen Gerät an diesem Platz vergleichen.
why-protection_unknown = Das Gerät sagte nicht, ob der Geräteschutz an ist; geschrieben wurde nichts.
    .try = Neu starten (M) und wiederholen; ist sein Device OS zu alt dafür, erst aktualisieren.
why-unit_busy = Das Gerät vertröstet immer wieder: alle Plätze für Anfragen belegt, oder jedes Mal ein Fehler. Die Anwendung hält es wohl auf.
    .try = Neu starten (M), dann wiederholen (R). Bleibt es: abgesichert (M), dort läuft keine Anwendung; dann wiederholen.
why-request_not_offered = Das Device OS dieses Geräts oder die Anwendung darauf kennt eine nötige Anfrage nicht.
    .try = War es ein Test: ist die richtige Testfirmware darauf? Sonst Device OS im Profil erhöhen, oder den Schritt für solche Geräte auslassen.
why-unit_stuck = Der Bootloader kommt aus seinem Fehler nicht heraus.
    .try = Fünf Sekunden stromlos machen (auch den Akku), von Hand in DFU, dann wiederholen.
why-console_garbled = Die Konsole zeigte, was kein Befehl zeigt: schlechter Kontakt oder eine Anwendung, die mitschreibt.
    .try = In den abgesicherten Modus (M) und wiederholen; dann Kabel oder Port wechseln.
why-port_in_use = Ein anderes Programm hat das Gerät oder seine serielle Schnittstelle offen.
    .try = Serielle Monitore und Herstellerwerkzeuge schließen; ModemManager nennt „station doctor“.
why-no_device_nodes = Am Bus sind Geräte, der Rechner hat aber keine Gerätedateien: wohl ein Container.
    .try = Dem Container /dev/bus/usb geben, oder die Station auf dem Rechner selbst starten.
why-did_not_return = Das Gerät startete neu und kam nicht rechtzeitig wieder.
    .try = Licht ansehen (P): Gelb ist DFU, dunkel ist Strom oder Bootloader. RESET drücken oder neu einstecken.
why-no_permission = Dieser Benutzer darf USB-Geräte oder serielle Schnittstellen nicht öffnen.
    .try = Ausführen: sudo station udev install. Dann das Gerät neu einstecken.
why-bench_wifi_down = Das Gerät kam nicht ins Netz, und nach ihm keines: ob Netz oder Gerät, ist noch offen.
    .try = Den Zugangspunkt mit einem Telefon prüfen; ein Gerät durchlaufen lassen, das schon im Netz war; dann dieses wiederholen (R).
why-wifi_refused = Das Netz lehnte die Zugangsdaten des Profils ab.
    .try = Passwort und Sicherheit des Netzes prüfen, das Geheimnis berichtigen; dann wiederholen (R).
why-update_missing = Das Update über Funk kam nicht rechtzeitig. Das Gerät ist nicht beurteilt.
    .try = Gerät am Strom und online lassen; ist die Firmware für seine Gruppe freigegeben? Dann wiederholen.
why-not_released = Das Produkt hat für dieses Gerät keine freigegebene Firmware: nichts zum Vergleichen.
    .try = In der Konsole eine Version freigeben, oder im Profil unter [release] eine nennen.
why-cloud_failed = Die Cloud antwortete mehrmals nicht, wie sie soll. Das Gerät ist nicht beurteilt.
    .try = Statusseite des Herstellers und dieses Netz prüfen: station doctor. Dann wiederholen.
why-cloud_hold = Die Cloud ist weg, und das Profil wartet auf sie.
    .try = Das Netz dieses Rechners prüfen: station doctor. Es geht von selbst weiter.
why-cloud_refused = Die Cloud lehnte dieses Gerät ab; ihre Worte stehen oben.
    .try = Die Antwort oben lesen und die Device ID in der Konsole suchen; das Gerät solange beiseitelegen.
why-cloud_limit = Die Cloud bittet um weniger Anfragen.
    .try = Eine Minute warten, wiederholen. Teilen sich Stationen ein Konto, requests_per_s senken.
why-cloud_blocked = Etwas zwischen diesem Rechner und der Cloud antwortet an ihrer Stelle: Proxy, Portal, Firewall.
    .try = Hier eine Webseite öffnen: kommt eine Anmeldung? Beim Netzverwalter nach dem Weg hinaus fragen.
why-cloud_mend = Die Cloud lehnt Konto, Produkt oder Vertrag der Station ab, nicht das Gerät.
    .try = Die Antwort oben lesen; „station whoami“ und „station doctor“ ansehen, dann wiederholen.
why-token_rejected = Das Token dieser Station ist abgelaufen oder entzogen.
    .try = Ausführen: station login. Dann wiederholen.
why-journal_locked = Ein anderes Programm hält die Datei des Journals fest.
    .try = Datenbank-Betrachter und Sicherungen auf diesem Ordner schließen; es geht von selbst weiter.
why-disk_full = Die Platte des Journals ist voll. Ohne Eintrag kein Gut.
    .try = Auf der Platte des Datenordners Platz schaffen; es geht von selbst weiter.
why-disk_fails = Die Platte lässt sich nicht beschreiben: schreibgeschützt, entfernt oder kaputt.
    .try = Platte und Einbindung prüfen; den Datenordner kopieren, solange er lesbar ist.
why-journal_failed = Das Journal lässt sich nicht schreiben, also darf nichts gut sein.
    .try = Ausführen: station log verify. Rechte und Platz des Datenordners ansehen.
why-check_station = Die Station konnte das Gerät nicht beurteilen; was im Weg stand, steht oben.
    .try = Das Genannte beheben, dann wiederholen. Sieht es nach Programmfehler aus, diesen Bericht einsenden.

## Was nach einem Schnitt bleiben kann

why-dfu_by_hand = Das Gerät verschwand mitten im Schreiben und startet vielleicht nicht mehr von selbst.
    .try = Seine Taste halten, RESET tippen, bei Gelb loslassen; dann wird von vorn geschrieben.
why-hands_default = Das Gerät verschwand, als sein Bootloader geschrieben wurde: es braucht vielleicht einen Debugger.
    .try = Noch einmal einstecken; bleibt es dunkel, über SWD mit einem Debugger wiederherstellen.

## Etiketten

why-printer_away = Der Etikettendrucker antwortet nicht. Das Gerät ist so gut wie zuvor, hat aber noch kein Etikett.
    .try = Strom und Kabel des Druckers und seine Adresse in der Konfiguration prüfen; dann wiederholen.
why-printer_open = Der Drucker meldet, dass sein Kopf offen ist.
    .try = Schließen, bis er einrastet; dann wiederholen: nur das Etikett fehlt.
why-printer_paper = Der Drucker meldet, dass er keine Etiketten mehr hat.
    .try = Neue Rolle einlegen und ein Etikett vorschieben lassen; dann wiederholen.
why-printer_ribbon = Der Drucker meldet, dass er kein Farbband hat.
    .try = Farbband einlegen; bei Thermoetiketten das Farbband im Menü des Druckers abschalten.
why-printer_paused = Der Drucker meldet, dass er angehalten ist.
    .try = Seine Pausetaste drücken; hält er wieder an, den Grund auf seiner Anzeige lesen.

## Das System der Fabrik

why-hook_refused = Das eigene System der Fabrik antwortete, dass dieses Gerät nicht gefertigt werden darf. Geschrieben wurde nichts.
    .try = Den Grund oben lesen und das Gerät in jenem System suchen; ist es dort geklärt, wiederholen.
why-hook_hold = Das eigene System der Fabrik antwortete nicht, solange das Profil wartet.
    .try = Jenes System und das Netz dorthin prüfen; die Adresse von Hand aufrufen, dann wiederholen.
