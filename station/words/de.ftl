# Was die Station auf Deutsch sagt. Die Regeln stehen am Anfang von en.ftl.

-unplug = Abziehen.
-red-bin = Rote Kiste.
-technician = Techniker.
-set-aside = Auf die Ablage.
-rework = Nacharbeit.
-supervisor = Meister rufen.
-again = Neu einstecken.
-other-cable = Anderes Kabel, anderer Port?
-other-cable-short = Anderes Kabel?
-goes-on = Warten. Geht von selbst weiter.
-goes-on-short = Einfach warten.
-take-out = Herausnehmen.
-scan-again = Neu scannen.
-scan-label = Etikett des Geräts scannen.

## Gutes Ende

pass =
    .do = { -unplug }
pending = Fertig, sobald die Cloud antwortet.
    .do = { -set-aside }
    .short =
        Wartet auf Cloud.
        { -set-aside }
sim_pending = SIM ist noch nicht aktiv.
    .do = { -set-aside }
    .short =
        SIM nicht aktiv.
        { -set-aside }

## Bestanden, aber nicht mehr bewiesen

by_hand = Von Hand bedient.
    .do = Wiederholen (R).

## Das falsche Gerät

wrong_platform =
    Das ist ein { $found }.
    Dieses Los will { $wanted }.
    .do = { -take-out }
    .short =
        Soll { $wanted } sein.
        { -take-out }
no_unit =
    Das ist: { $found }.
    Es gehört nicht hierher.
    .do = { -take-out }
    .short =
        Gehört nicht her.
        { -take-out }
no_profile = Kein offenes Los für { $found }.
    .do = { -take-out }
    .short =
        Kein Los dafür.
        { -take-out }
no_batch = Kein Los ist offen.
    .do = { -supervisor }
    .short =
        Kein Los offen.
        { -supervisor }
wrong_label = Etikett passt nicht zum Gerät.
    .do = { -technician }
    .short =
        Etikett anders.
        { -technician }
wrong_card = SIM-Karte passt nicht zum Gerät.
    .do = { -technician }
    .short =
        SIM-Karte anders.
        { -technician }
numbers_differ = Zwei Nummern des Geräts weichen ab.
    .do = { -technician }
    .short =
        Nummern ungleich.
        { -technician }
record_differs = Cloud passt nicht zum Gerät.
    .do = { -technician }
    .short =
        Cloud weicht ab.
        { -technician }
twin = Platz { $slot } hat dasselbe Gerät.
    .do = { -technician }
    .short =
        Wie Platz { $slot }.
        { -technician }
wrong_sku =
    Das ist { $found }.
    Dieses Los will { $wanted }.
    .do = { -red-bin }
    .short =
        Soll { $wanted } sein.
        { -red-bin }
wrong_product = Schon in Produkt { $product }.
    .do = { -technician }
    .short =
        In anderem Produkt
        { -technician }
already_elsewhere = Schon in Produkt { $product }.
    .do = { -technician }
    .short =
        In anderem Produkt
        { -technician }
owner_other = Gerät gehört einem anderen Konto.
    .do = { -rework }
    .short =
        Fremdes Konto.
        { -rework }
unknown_serial = Etikett ist nicht lesbar.
    .do = { -technician }
    .short =
        Etikett unlesbar.
        { -technician }
label_not_scanned = Eigenes Etikett nicht gescannt.
    .do = { -again }
    .short =
        Etikett fehlt.
        { -again }
strange_identity = Eine Nummer des Geräts ist falsch.
    .do = { -technician }
    .short =
        Nummer falsch.
        { -technician }
identity_missing = Dem Gerät fehlt: { THING($missing) }.
    .do = { -technician }
    .short =
        Nummer fehlt.
        { -technician }
quarantined = Cloud hält dieses Gerät zurück.
    .do = { -rework }
    .short =
        Von Cloud gesperrt
        { -rework }
marked = Gerät ist für Entwicklung markiert.
    .do = { -rework }
    .short =
        Entwicklungsgerät.
        { -rework }
bad_device_id = Die Cloud kennt dieses Gerät nicht.
    .do = { -technician }
    .short =
        Nicht in der Cloud
        { -technician }

## Ein schlechtes Gerät

unit_rejected = Gerät abgelehnt.
    .do = { -red-bin }
unit_refused = Gerät verweigert den Befehl.
    .do = { -red-bin }
    .short =
        Verweigert Befehl.
        { -red-bin }
protected = Gerät ist gesperrt.
    .do = { -technician }
    .short =
        Gesperrt.
        { -technician }
wifi_join_failed = Gerät kommt nicht ins WLAN.
    .do = { -red-bin }
    .short =
        Nicht ins WLAN.
        { -red-bin }
wifi_deaf = Gerät hört kein WLAN.
    .do = { -red-bin }
    .short =
        Hört kein WLAN.
        { -red-bin }
wifi_weak =
    WLAN-Signal ist schwach.
    { $signal } dBm, soll { $least }.
    .do = { -red-bin }
    .short =
        WLAN schwach.
        { -red-bin }
listening_after_setup = Licht blinkt noch dunkelblau.
    .do = { -technician }
    .short =
        Noch dunkelblau.
        { -technician }
write_failed = Schreiben fehlgeschlagen.
    .do = { -red-bin }
    .short =
        Schreibfehler.
        { -red-bin }
update_not_applied = Update wurde nicht übernommen.
    .do = { -red-bin }
    .short =
        Update misslungen.
        { -red-bin }
verify_failed = Zurücklesen fehlgeschlagen.
    .do = { -red-bin }
    .short =
        Rücklesen falsch.
        { -red-bin }
sim_failed = SIM funktioniert nicht.
    .do = { -technician }
    .short =
        SIM defekt.
        { -technician }
sim_odd =
    SIM { $iccid }
    ist nicht bekannt.
    .do = { -technician }
    .short =
        Unbekannte SIM.
        { -technician }
sim_off = SIM ist in der Cloud abgeschaltet.
    .do = { -supervisor }
    .short =
        SIM abgeschaltet.
        { -supervisor }
sim_foreign = SIM gehört einem anderen Konto.
    .do = { -supervisor }
    .short =
        Fremde SIM.
        { -supervisor }
sim_released = SIM ist nicht im Produkt.
    .do = { -supervisor }
    .short =
        SIM ohne Produkt.
        { -supervisor }
sim_external = Gerät nutzt seine andere SIM.
    .do = { -technician }
    .short =
        Andere SIM aktiv.
        { -technician }
sim_missing = Keine SIM gefunden.
    .do = { -technician }
    .short =
        Keine SIM.
        { -technician }
not_online =
    Gerät geht nicht online.
    Antenne, Empfang?
    .do = { -technician }
    .short =
        Antenne, Empfang?
        { -technician }
not_online_sim_active =
    Gerät offline, SIM ist aktiv.
    Andere SIM hilft nicht.
    .do = { -technician }
    .short =
        Offline, SIM aktiv
        { -technician }
not_online_sim =
    Gerät bleibt offline.
    SIM { $iccid }
    ist nicht aktiv.
    .do = { -technician }
    .short =
        SIM nicht aktiv.
        { -technician }
not_claimed = Gerät hat keinen Besitzer.
    .do = { -technician }
    .short =
        Ohne Besitzer.
        { -technician }
name_taken = Name { $name } ist vergeben.
    .do = { -technician }
    .short =
        Name vergeben.
        { -technician }
final_check_failed = Endprüfung nicht bestanden.
    .do = { -technician }
    .short =
        Nicht bestanden.
        { -technician }

## Werte außerhalb ihrer Grenzen, und Prüfungen ohne Urteil

value_outside =
    { $name } { FIGURE($found) },
    soll { FIGURE($low) } bis { FIGURE($high) }.
    .do = { -red-bin }
    .short =
        Wert außerhalb.
        { -red-bin }
value_too_low =
    { $name } { FIGURE($found) },
    soll mindestens { FIGURE($low) }.
    .do = { -red-bin }
    .short =
        Wert zu niedrig.
        { -red-bin }
value_too_high =
    { $name } { FIGURE($found) },
    soll höchstens { FIGURE($high) }.
    .do = { -red-bin }
    .short =
        Wert zu hoch.
        { -red-bin }
value_differs =
    { $name } { $found },
    soll { $wanted }.
    .do = { -red-bin }
    .short =
        Wert weicht ab.
        { -red-bin }
value_no_number =
    { $name } { $found },
    soll eine Zahl sein.
    .do = { -red-bin }
    .short =
        Keine Zahl.
        { -red-bin }
value_missing = { $name } fehlt.
    .do = { -red-bin }
value_untold = Prüfung meldet { $name } nicht.
    .do = { -supervisor }
    .short =
        Wert fehlt.
        { -supervisor }
answer_garbled = Antwort der Prüfung ist unlesbar.
    .do = { -technician }
    .short =
        Antwort unlesbar.
        { -technician }
unsteady = Werte ändern sich jedes Mal.
    .do = { -technician }
    .short =
        Werte schwanken.
        { -technician }
app_silent = Prüfung antwortet nicht.
    .do = { -again }
    .short =
        Prüfung stumm.
        { -again }
instrument_failed =
    { $name }
    misst nicht.
    .do = { -technician }
    .short =
        Misst nicht.
        { -technician }
power_busy = Die Stromversorgung ist belegt.
    .do = { -goes-on }
    .short =
        Wartet auf Strom.
        { -goes-on-short }
instrument_busy = Anderer Platz wird gemessen.
    .do = { -goes-on }
    .short =
        Messplatz belegt.
        { -goes-on-short }

## Etiketten

scan_printed = Neues Etikett: { $unit }.
    .do = Auf dem Gerät scannen.
    .short =
        Neues Etikett.
        Am Gerät scannen.
label_in_doubt = Etikett { $unit } suchen.
    .do = Scannen oder nachdrucken.
    .short =
        Etikett suchen.
        Scannen, drucken.
old_label = Das ist nicht das neue Etikett.
    .do = Neues Etikett scannen.
    .short =
        Altes Etikett.
        Neues scannen.
no_label_again = Kein Etikett zum Nachdrucken.
printer_busy = { $printer } druckt gerade ein anderes.
    .do = { -goes-on }
    .short =
        Drucker belegt.
        { -goes-on-short }
printer_away = Drucker { $printer } antwortet nicht.
    .do = Kabel und Strom prüfen.
    .short =
        Drucker stumm.
        Kabel prüfen.
printer_paper = Drucker { $printer } ist leer.
    .do = Neue Rolle einlegen.
    .short =
        Drucker leer.
        Neue Rolle.
printer_ribbon = Drucker { $printer } hat kein Farbband.
    .do = Farbband einlegen.
    .short =
        Kein Farbband.
        Farbband einlegen.
printer_open = Drucker { $printer } ist offen.
    .do = Drucker schließen.
    .short =
        Drucker offen.
        Drucker schließen.
printer_paused = Drucker { $printer } macht Pause.
    .do = Pausetaste drücken.
    .short =
        Drucker pausiert.
        Pause drücken.

## Firmware

firmware_refused = Firmware passt nicht zum Gerät.
    .do = { -supervisor }
    .short =
        Falsche Firmware.
        { -supervisor }
dependency_missing = Gerät braucht zuerst { $module }.
    .do = { -supervisor }
    .short =
        Modul fehlt.
        { -supervisor }
downgrade_refused = Gerät ist neuer als das Los.
    .do = { -supervisor }
    .short =
        Gerät zu neu.
        { -supervisor }

## Gestoppt

unplugged_too_early = Zu früh abgezogen.
    .do = { -again }
stopped_by_operator = Von Hand gestoppt.
    .do = { -again }
swapped = Anderes Gerät eingesteckt.
    .do = Das erste wieder einstecken.
    .short =
        Anderes Gerät.
        Erstes einstecken.
part_walked = Nur ein Teil der Schritte lief.
    .do = Für ein Ergebnis wiederholen.
    .short =
        Nur ein Teil lief.
        Wiederholen.
station_closing = Station wurde geschlossen.
    .do = { -again }
    .short =
        Station zu.
        { -again }

## Die Station, nicht das Gerät

silent = Keine Antwort.
    .do = { -other-cable }
    .short =
        Keine Antwort.
        { -other-cable-short }
bad_contact = USB-Kontakt ist schlecht.
    .do = { -other-cable }
    .short =
        USB-Kontakt lose.
        { -other-cable-short }
protection_unknown = Gerät ist vielleicht gesperrt.
    .do = { -technician }
    .short =
        Gesperrt?
        { -technician }
unit_busy = Gerät ist zu beschäftigt.
    .do = { -again }
    .short =
        Gerät beschäftigt.
        { -again }
request_not_offered = Gerät kennt diesen Befehl nicht.
    .do = { -supervisor }
    .short =
        Unbekannter Befehl
        { -supervisor }
unit_stuck = Gerät hängt.
    .do = { -again }
console_garbled = Serielle Leitung ist gestört.
    .do = { -other-cable }
    .short =
        Leitung gestört.
        { -other-cable-short }
port_in_use = Gerät wird woanders benutzt.
    .do = { -supervisor }
    .short =
        Anderswo benutzt.
        { -supervisor }
no_device_nodes = Rechner zeigt keine USB-Geräte.
    .do = { -supervisor }
    .short =
        USB unsichtbar.
        { -supervisor }
did_not_return = Gerät kam nicht zurück.
    .do = { -again }
    .short =
        Kam nicht zurück.
        { -again }
no_permission = Keine Rechte für USB.
    .do = { -technician }
    .short =
        USB-Rechte fehlen.
        { -technician }
bench_wifi_down = WLAN am Platz ist vielleicht aus.
    .do = { -supervisor }
    .short =
        WLAN aus?
        { -supervisor }
wifi_refused = WLAN weist das Gerät ab.
    .do = { -supervisor }
    .short =
        WLAN weist ab.
        { -supervisor }
update_missing = Update kam nicht.
    .do = { -again }
not_released = Keine Firmware freigegeben.
    .do = { -supervisor }
    .short =
        Keine Firmware.
        { -supervisor }
cloud_failed = Cloud antwortet nicht.
    .do = { -supervisor }
    .short =
        Cloud stumm.
        { -supervisor }
cloud_hold = Cloud antwortet nicht.
    .do = { -goes-on }
    .short =
        Cloud stumm.
        { -goes-on-short }
cloud_refused = Cloud lehnt dieses Gerät ab.
    .do = { -technician }
    .short =
        Cloud lehnt ab.
        { -technician }
hook_refused =
    Werkssystem sagt:
    { $reason }.
    .do = { -technician }
    .short =
        Werk lehnt ab.
        { -technician }
hook_hold = { $hook } antwortet nicht.
    .do = { -goes-on }
    .short =
        Werkssystem stumm.
        { -goes-on-short }
cloud_limit = Cloud ist überlastet.
    .do = { -goes-on }
    .short =
        Cloud überlastet.
        { -goes-on-short }
scanner_busy = Anderer Platz hat den Scanner.
    .do = { -goes-on }
    .short =
        Scanner belegt.
        { -goes-on-short }
before_it = { $count } davor.
cloud_blocked = Netzwerk sperrt die Cloud.
    .do = { -supervisor }
    .short =
        Cloud gesperrt.
        { -supervisor }
cloud_mend = Cloud lehnt diese Station ab.
    .do = { -supervisor }
    .short =
        Station abgelehnt.
        { -supervisor }
token_rejected = Cloud-Token abgelehnt.
    .do = { -supervisor }
    .short =
        Token abgelehnt.
        { -supervisor }
journal_locked = Protokoll ist gesperrt.
    .do = Schließen, was es sonst benutzt.
    .short =
        Protokoll gesperrt
        Anderes beenden.
disk_full = Festplatte ist voll.
    .do = { -supervisor }
    .short =
        Platte voll.
        { -supervisor }
disk_fails = Festplatte schreibt nicht.
    .do = { -supervisor }
    .short =
        Plattenfehler.
        { -supervisor }
record_again = Protokoll wird wieder geschrieben.
    .short = Protokoll läuft.
journal_failed = Protokoll nicht schreibbar.
    .do = { -supervisor }
    .short =
        Kein Protokoll.
        { -supervisor }
check_station = Gerät ist nicht bewertet.
    .do = { -technician }
    .short =
        Ohne Urteil.
        { -technician }

## Hände

scan_label = Gerät { $unit }.
    .do = Sein Etikett scannen.
    .short =
        { $unit }
        Etikett scannen.
label_of_slot = Das ist das Etikett von Platz { $slot }.
    .do = { -scan-again }
    .short =
        Etikett Platz { $slot }.
        { -scan-again }
label_of_nameless = Vielleicht Etikett von Platz { $slot }.
    .do = Das Gerät dort abziehen.
    .short =
        Etikett Platz { $slot }?
        Es dort abziehen.
label_of_passed =
    Etikett eines Geräts,
    das { DAYTIME($at) } gut war.
    .do = { -scan-again }
    .short =
        War schon gut.
        { -scan-again }
label_of_failed =
    Etikett eines Geräts,
    das { DAYTIME($at) } schlecht war.
    .do = { -scan-again }
    .short =
        War schlecht.
        { -scan-again }
label_of_other = Das Etikett eines anderen Geräts.
    .do = { -scan-again }
    .short =
        Fremdes Etikett.
        { -scan-again }
label_differs =
    Auf dem Etikett: { $label }.
    Im Gerät nicht.
    .do = { -scan-again }
    .short =
        Etikett falsch.
        { -scan-again }
label_half_differs = Zweite Etiketthälfte ist anders.
    .do = { -scan-again }
    .short =
        2. Hälfte anders.
        { -scan-again }
keyboard_layout =
    Tastatur ist { $layout }.
    Sie muss Englisch sein.
    .do = { -supervisor }
    .short =
        Falsche Tastatur.
        { -supervisor }
not_the_label = Gescannt: { THING($thing) }.
    .do = { -scan-label }
    .short =
        Kein Etikett.
        Etikett scannen.
no_label = { $read } ist kein Etikett.
    .do = { -scan-label }
    .short =
        Kein Etikett.
        Etikett scannen.
scan_card = Gerät { $unit }.
    .do = SIM-Karte scannen.
    .short =
        { $unit }
        SIM-Karte scannen.
card_differs =
    Karte sagt { $iccid }.
    SIM im Gerät nicht.
    .do = { -scan-again }
    .short =
        Karte weicht ab.
        { -scan-again }
not_the_card = Das ist keine SIM-Karte.
    .do = SIM-Karte scannen.
    .short =
        Keine SIM-Karte.
        SIM-Karte scannen.
dfu_by_hand =
    .do = { $button } halten. RESET tippen. Bei GELB loslassen.
    .short =
        { $button } + kurz RESET
        Bei GELB loslassen
listening_by_hand =
    .do = { $button } halten bis DUNKELBLAU.
safe_by_hand =
    { $button } halten, RESET tippen.
    .do = Bei MAGENTA loslassen.
    .short =
        { $button } + kurz RESET
        Bis MAGENTA.
reset_by_hand =
    .do = RESET drücken.
check_sim = Gerät wartet auf Einrichtung.
    .do = SIM prüfen.
    .short =
        Nicht eingerichtet
        SIM prüfen.

## Plätze zwischen zwei Durchläufen

arrived = Neues Gerät
starting = Startet
do_not_unplug =
    .do = Nicht abziehen.
would_stay_dark =
    .do = Nicht abziehen: es bliebe dunkel.
hands_default =
    .do = { -technician }

## Zeilen der Station

unknown_port = Gerät an unbekanntem Port.
    .do = Nummer seines Platzes drücken.
    .short =
        Unbekannter Port.
        Nummer drücken.
no_free_slot = Gerät an unbekanntem Port.
    .do = An einem Platz einstecken.
    .short =
        Unbekannter Port.
        In Platz stecken.
slot_taken = Platz { $slot } hat schon einen Port.
    .do = Andere Nummer drücken.
    .short =
        Platz hat Port.
        Andere Nummer.
scan_unreadable = Kein ganzes Etikett, kein Ausweis.
    .do = { -scan-again }
    .short =
        Scan unlesbar.
        { -scan-again }
scan_unclaimed = Kein Platz wartet darauf.
unit_history =
    Gerät { $unit }:
    { VERDICT($verdict) }, { DAYTIME($at) }.
unit_begun =
    Gerät { $unit }
    war hier, nicht fertig.
    .short =
        War hier,
        nicht fertig.
slot_off =
    { $why }
    Seit { DAYTIME($at) }.
choose_slot =
    .do = Erst eine Platznummer drücken.
    .short =
        Erst Platznummer
        drücken.
slot_closed = Platz { $slot } ist außer Betrieb.
no_slot = Es gibt keinen Platz { $slot }.
slot_at_work = Platz { $slot } arbeitet noch.
    .do = Sein Ergebnis abwarten.
    .short =
        Arbeitet noch.
        Ergebnis abwarten.
nothing_runs = Auf Platz { $slot } läuft nichts.
nothing_there = Kein Gerät auf Platz { $slot }.
    .do = Gerät einstecken.
    .short =
        Platz ist leer.
        Gerät einstecken.
cloud_back = Cloud antwortet wieder.
cloud_gone = Cloud antwortet nicht.
no_sound = Dieser Rechner gibt keinen Ton.
batch_open = Los { $batch } offen.
batch_not_open = Los { $batch } ist nicht offen.
    .do = { -supervisor }
    .short =
        Los nicht offen.
        { -supervisor }
lot_of_batch = Charge { $lot } jetzt in Los { $batch }.
lot_of_slot = Charge { $lot } in Platz { $slot } verbaut.
    .short =
        Charge in Platz
        { $slot } verbaut.
lot_out = Charge ausgetragen ({ $lot }).
lot_of_no_batch = Charge { $lot } gehört zu keinem Los.
    .do = Erst Los, dann Charge scannen.
    .short =
        Charge ohne Los.
        Erst Los scannen.
lot_of_no_unit = Charge { $lot }: Platz ist leer.
    .do = Erst Gerät stecken, dann scannen.
    .short =
        Platz ist leer.
        Erst Gerät.
batch_shut = Los { $batch } geschlossen.
batch_sealed =
    Los { $batch } ist versiegelt.
    Schlüssel { $key }.
    .short = Los versiegelt.
batch_ended = Los { $batch } ist endgültig zu.
    .do = Anderen Namen eingeben.
    .short =
        Los ist zu.
        Anderer Name.
profile_unreleased =
    Profil { $profile }
    ist nicht freigegeben.
    .do = Ein anderes eingeben.
    .short =
        Nicht freigegeben.
        Anderes eingeben.
operator_in = Bediener { $badge }.
operator_out = Kein Bediener.
    .do = Ausweis scannen.
pull_unit = Cloud lehnt Gerät { $unit } ab.
    .do = Von der Ablage nehmen.
    .short =
        Cloud lehnt ab.
        Von Ablage nehmen.
owed_stuck =
    Gerät { $unit }
    ist immer noch nicht fertig.
    .do = { -supervisor }
    .short =
        Noch nicht fertig.
        { -supervisor }
walk_again =
    SIM von Gerät { $unit }
    ist jetzt aktiv.
    .do = Gerät neu einstecken.
    .short =
        SIM ist aktiv.
        Neu einstecken.
late_unknown = Gerät { $unit } ist nicht bewertet.
    .do = { -technician }
    .short =
        Ohne Urteil.
        { -technician }
late_pass = Gerät { $unit } ist jetzt fertig.
station_fault = Die Station hat einen Fehler.
    .do = { -supervisor }
    .short =
        Stationsfehler.
        { -supervisor }
seen_before = Schon hier: { VERDICT($verdict) }, { $at }, { $station }.

## Fragen

leave_writing = Ein Gerät wird gerade beschrieben.
    .do = Trotzdem beenden?
    .short =
        Schreibt gerade.
        Trotzdem beenden?
stop_writing = Platz { $slot } wird gerade beschrieben.
    .do = Trotzdem stoppen?
    .short =
        Schreibt gerade.
        Trotzdem stoppen?
stop_running = Platz { $slot } arbeitet noch.
    .do = Stoppen?
    .short =
        Arbeitet noch.
        Stoppen?
leave_running = Geräte sind nicht fertig.
    .do = Trotzdem beenden?
    .short =
        Nicht fertig.
        Trotzdem beenden?
close_batch = Los { $batch } nimmt nichts mehr an.
    .do = Endgültig schließen?
    .short =
        Los wird beendet.
        Wirklich?
close_busy_batch = { $count } laufen noch in { $batch }.
    .do = Endgültig schließen?
    .short =
        { $count } laufen noch.
        Wirklich?
type_label =
    .do = Etikett eintippen. Dann Enter.
type_reason =
    .do = Warum außer Betrieb? Dann Enter.
    .short =
        Warum außer
        Betrieb? Enter.
batch_wrong = Los und Profil sind nötig.
    .do = Beides eingeben.
    .short =
        Los und Profil?
        Beides eingeben.
batch_name = Name des Loses ist ungültig.
    .do = Nur Buchstaben, Ziffern, Striche.
    .short =
        Name ungültig.
        Buchstaben, Zahlen
target_wrong = Stückzahl ist ungültig.
    .do = Eine ganze Zahl eingeben.
    .short =
        Zahl ungültig.
        Ganze Zahl bitte.

## Ein Wort für jeden Zustand eines Platzes

face-empty =
    .do = Gerät einstecken.
face-off = AUS
    .short = AUS
    .means = außer Betrieb: nicht benutzen
face-running =
    .means = warten
face-waits = WARTET
    .short = WARTET
    .means = warten, es geht von selbst weiter
face-hands = SIE SIND DRAN
    .short = DRAN
    .blocks = DRAN
    .means = tun, was dasteht
face-pass = GUT
    .short = GUT
    .do = { -unplug }
    .means = abziehen
face-pending = ABLEGEN
    .short = ABLAGE
    .blocks = ABLAGE
    .do = { -set-aside }
    .means = auf die Ablage, wird später fertig
face-fail = SCHLECHT
    .short = NIO
    .blocks = NIO
    .do = { -red-bin }
    .means = rote Kiste, oder was dasteht
face-aborted = GESTOPPT
    .short = STOPP
    .blocks = STOPP
    .do = { -again }
    .means = neu einstecken
face-error = STATION PRÜFEN
    .short = PRÜFEN
    .blocks = PRÜFEN
    .do = { -technician }
    .means = nicht bewertet: prüfen, was dasteht

## Schritte

step-identify = Erkennen
step-dfu = Vorbereiten
step-device_os = Device OS
step-firmware = Firmware
step-product_add = Ins Produkt
step-name = Name
step-group = Gruppe
step-notes = Notizen
step-development = Entwicklermarke
step-firmware_lock = Version sperren
step-wifi = WLAN
step-wifi_clear = WLAN löschen
step-setup_done = Setup-Merker
step-sim = SIM
step-online = Online
step-release = Freigabe
step-claim = Zuordnen
step-claim_code = Zuordnungscode
step-customer = Kunde
step-app_test = Prüfung
step-tests = Messung
step-final_check = Endprüfung
step-label = Etikett

## Was ein Schritt tat

outcome-already = schon da
outcome-done = erledigt
outcome-skipped = entfällt
outcome-deferred = offen
outcome-failed = schlecht
outcome-aborted = gestoppt
outcome-error = Fehler

## Das Licht eines Geräts

led-blinking-dark-blue = blinkt dunkelblau
    .colour = dunkelblau
    .means = wartet auf Einrichtung
led-fast-blinking-blue = blinkt blau, schnell
    .colour = blau
    .means = löscht seine Netze
led-breathing-blue = atmet blau
    .colour = blau
    .means = Funk an, nicht verbunden
led-blinking-yellow = blinkt gelb
    .colour = gelb
    .means = in DFU, bereit zum Schreiben
led-blinking-magenta = blinkt magenta
    .colour = magenta
    .means = Update: nicht abziehen
led-breathing-magenta = atmet magenta
    .colour = magenta
    .means = Safe Mode: keine Anwendung
led-blinking-green = blinkt grün
    .colour = grün
    .means = sucht ein Netz
led-breathing-green = atmet grün
    .colour = grün
    .means = Netz, aber keine Cloud
led-blinking-cyan = blinkt türkis
    .colour = türkis
    .means = verbindet sich mit der Cloud
led-breathing-cyan = atmet türkis
    .colour = türkis
    .means = online
led-breathing-white = atmet weiß
    .colour = weiß
    .means = Funk aus
led-blinking-red = blinkt rot
    .colour = rot
    .means = hat einen Fehler
led-rainbow = Regenbogen
    .colour = bunt
    .means = das gesuchte Gerät
led-off = dunkel
    .colour = dunkel
    .means = kein Strom, oder tot

## Dinge mitten im Satz

thing-order-code = eine Bestellnummer
thing-sim-number = eine SIM-Nummer
thing-no-label = kein Etikett
thing-serial-number = Seriennummer
thing-mac-address = MAC-Adresse
thing-known-sku = bekannte SKU

## Tage und Zahlen

figure-days = Mo Di Mi Do Fr Sa So
figure-seconds = { $figure } s
figure-minutes = { $minutes } min
figure-hours = { $hours } h { $minutes } min
figure-mark = ,
figure-join = { " " }
figure-breaks =
    Buch-sta-ben DUNKEL-BLAU dunkel-blau Ein-rich-tung End-gültig end-gültig End-prü-fung Ent-wick-lung
    Ent-wick-lungs-gerät Eti-kett-hälfte Fest-platte Heraus-neh-men Mess-platz Nach-arbeit Nach-drucken Pause-taste
    Platten-fehler Platz-nummer Pro-to-koll Rück-lesen Schlie-ßen schlie-ßen Schlüs-sel Schrei-ben Schreib-fehler
    Sta-tions-fehler Strom-versor-gung Stück-zahl Tech-niker Unbe-kannte Unbe-kannter unbe-kann-tem Ver-wei-gert
    ver-wei-gert Viel-leicht viel-leicht Werks-system Wieder-holen wieder-holen Zurück-lesen ab-gelehnt
    ab-geschal-tet ab-gezo-gen ant-wortet aus-getra-gen außer-halb be-schrie-ben beschäf-tigt bestan-den
    ein-gerich-tet einge-steckt ein-stecken ein-tippen fehl-geschla-gen frei-gege-ben funktio-niert ge-schlos-sen
    ge-schrie-ben höchs-tens los-lassen mindes-tens miss-lungen schreib-bar schwan-ken unsicht-bar ver-siegelt
    ab-ziehen über-lastet über-nommen
figure-yields = FPY { $first }, Ausbeute { $final }, { $retests ->
        [one] { $retests } Retest
       *[other] { $retests } Retests
    }

## Die oberste Zeile

header-virtual = VIRTUELL
header-simulated = VIRTUELL, simulierte Zeit
header-cloud = Cloud { $state }
header-owed = offen { $count }
header-operator = Bed. { $badge }
header-no-batch = kein Los offen
header-batch = Los { $batch }
header-batches = { $count } Lose
header-trial = { $product } PROBE
header-yield = FPY { $share }

## Kacheln und die Zeilen darunter

tile-left = noch { $time }
tile-steps = { $done } von { $all } Schritten
log-slot = Platz { $slot }
log-ended = { VERDICT($verdict) } in { $took }
log-why = { $what }: { $why }
log-scan = Scan { $read }: { $what }

## Tasten

cap-up = Auf
cap-down = Ab
key-slot = Platz
key-details = Details
key-retry = wiederholen
key-light = Licht
key-label = Etikett tippen
key-off = außer Betrieb
key-batch = Los
key-find = suchen
key-help = Hilfe
key-leave = beenden
key-panel = Feld
key-choose = Schritt wählen
key-run = ausführen
key-from = ab hier
key-mode = Modus
key-console = Konsole
key-pattern = Licht melden
key-bytes = Bytes
key-trace = Leitung sichern
key-report = Bericht
key-print = Etikett nochmals
key-copy = kopieren
key-stop = stoppen
key-back = zurück
key-none = { $cap } tut hier nichts

## Für den Techniker

details-port = Port { $port }
details-batch = Los { $batch }
details-profile = Profil { $profile }
details-attempt = Durchlauf { $attempt }
details-steps = SCHRITTE
details-identities = IDENTITÄTEN
details-firmware = FIRMWARE
details-wire = LEITUNG
details-wire-lost = Nichts aufgehoben: Das geschieht, wenn ein Versuch endet, und während dieses Versuchs wurde die Station beendet.
details-wanted = soll { $version }
details-was = (war { $values })
details-seen = Gesehen
details-means = Bedeutet
details-try = Als Nächstes
details-light = Licht gesehen
details-light-wanted = Licht
details-device-id = Device ID
details-unit = Gerät
details-verdict = Ergebnis
details-module = Modul
details-column-wanted = soll
details-column-hash = Hash
details-column-held = ist
details-no-wire = Hier wurde nichts aufgezeichnet. Mit --trace gestartet, zeigt die Station, was auf der Leitung gesagt wird.
details-no-bytes = Nur diese Worte sind aufbewahrt. Bytes zeigt die Station mit --trace.
details-no-unit = In Platz { $slot } steckt kein Gerät: eines einstecken.
details-unit-left = Dieses Gerät hat Platz { $slot } verlassen: wieder einstecken oder zurück.
details-other-unit = In Platz { $slot } steckt jetzt ein anderes Gerät: zurück, den Platz neu öffnen.
details-prints = Sein Etikett wird noch einmal gedruckt.
details-no-steps = Noch ist kein Schritt bekannt: erst das Gerät wiederholen.
details-no-attempt = Hier wurde noch nichts versucht: es gibt nichts zu berichten.
details-at-work = Platz { $slot } arbeitet: das Urteil abwarten oder stoppen.
details-nothing-runs = In Platz { $slot } läuft nichts.
details-runs = { $step } läuft jetzt, allein.
details-runs-from = { $step } und alles danach läuft jetzt.
details-enters = Geht in diesen Modus: { $mode }.
details-choose-mode = IN WELCHEN MODUS?
details-choose-light = WAS TUT DAS LICHT?
details-saving = Wird geschrieben.
details-copied = Kopiert: Device ID, Licht, Ergebnis und Grund.
console-title = KONSOLE VON PLATZ { $slot }
console-opening = Das Gerät wird in den Einrichtmodus gebracht.
console-keys = Ein Zeichen ist ein Befehl   [Enter] senden   [Esc] schließen
hand-work = Jemand bearbeitet dieses Gerät von Hand: danach ist es zu wiederholen.
console-opened = Seine Konsole ist offen.
console-ended-closed = Seine Konsole ist zu.
console-ended-idle = Seine Konsole ist zu: eine Viertelstunde lang hat niemand getippt.
console-ended-left = Das Gerät hat Platz { $slot } verlassen, und mit ihm seine Konsole.
console-ended-walk = Seine Konsole ist zu: das Gerät wird noch einmal geprüft.
console-ended-command = Seine Konsole ist zu: vom Gerät wurde etwas anderes verlangt.
console-ended-stopping = Seine Konsole ist zu: die Station hält an.
console-ended-busy = Platz { $slot } arbeitet: keine Konsole vor seinem Urteil.
console-ended-empty = Platz { $slot } ist leer: ein Gerät anstecken.
console-ended-failed = Keine Konsole: { $why }
console-skipped = { $count } Zeilen fehlen: sie kamen zu schnell
window-choose = [Auf] [Ab] wählen   [Enter] nehmen   [Esc] schließen
did-saved = Gesichert: { $what }
did-mode = Jetzt in diesem Modus: { $what }
did-light-on = Das Licht ist jetzt ein Regenbogen.
did-light-off = Das Licht ist wieder das eigene.
mode-dfu = DFU
mode-dfu-does = wartet aufs Schreiben, Licht blinkt gelb
mode-listening = Einrichten
mode-listening-does = wartet aufs Einrichten, Licht blinkt dunkelblau
mode-safe = abgesichert
mode-safe-does = startet ohne seine Anwendung
mode-reset = Neustart
mode-reset-does = startet neu, auch aus DFU

## Fenster und Seiten

window-slot = Platz { $slot }.
window-yes-no = [J] ja   [N] nein
window-label = [Enter] nehmen   [Esc] schließen
page-batches = LOSE
page-batches-keys = [Auf] [Ab] wählen  [F] suchen  [O] offen  [W] Nacharbeit  [N] neu  [C] schließen  [E] Export  [Esc] zurück
page-is-open = offen
page-closed = geschlossen { $at }
page-of = { $count } von { $target }
page-pareto = WORAN VERSUCHE SCHEITERTEN
page-yields = ERSTE URTEILE JE STUNDE
page-no-failures = Nichts ist gescheitert.
page-more-failures = { $count } weitere Versuche
page-no-hours = Noch kein Gerät ist beurteilt.
page-final = Endausbeute
page-retests = Wiederholt
page-units = Geräte
page-no-unit = ohne Gerät
page-no-unit-attempts = { $count ->
        [one] 1 Versuch
       *[other] { $count } Versuche
    }
page-by-hand = von Hand
page-by-hand-units = { $count ->
        [one] 1 Gerät: wiederholen
       *[other] { $count } Geräte: wiederholen
    }
page-takt = Takt
page-left = Restzeit
page-expected = gekommen
page-never-came = { $count ->
        [one] { $count } Gerät kam nie:
       *[other] { $count } Geräte kamen nie:
    }
page-unfinished = nicht fertig
page-new = NEUES LOS
page-profile = PROFIL
page-batch = Name des Loses
page-target = wie viele Geräte (darf leer bleiben)
page-keys = [Enter] öffnen   [Tab] nächstes Feld   [Esc] zurück
page-find = GERÄT SUCHEN
page-find-what = eine Nummer oder ihre letzten Ziffern; Los, Charge, Urteil, Tag
page-find-keys = [Auf] [Ab] wählen   [Enter] alles darüber   [Esc] zurück
page-find-none = Kein Gerät hat diese Nummer.
page-owed = OFFENE ARBEIT
page-owed-keys = [Auf] [Ab] wählen   [Enter] alles darüber   [R] jetzt versuchen   [A] alles versuchen   [Esc] zurück
page-owed-none = Nichts ist offen.
page-owed-retried = Was bei { $unit } offen ist, wird jetzt versucht.
page-owed-retried-all = Alles Offene wird jetzt versucht.
page-its-turn = wartet, bis es dran ist
page-rework = GERÄTE ZUR NACHARBEIT
page-rework-keys = [Auf] [Ab] wählen   [Enter] alles darüber   [Esc] zurück
page-rework-none = Kein Gerät braucht Nacharbeit.
page-life-keys = [Auf] [Ab] [PgUp] [PgDn] blättern   [Esc] zurück
page-first-seen = zuerst gesehen { $at } { $zone }
page-owes = OFFEN
page-attempts = { $count ->
        [one] { $count } VERSUCH
       *[other] { $count } VERSUCHE
    }
page-export = EXPORT VON LOS { $batch }
page-folder = ORDNER
page-export-keys = [Enter] exportieren   [Tab] nächstes Feld   [Esc] zurück
page-exported = { $rows } Zeilen in { $path }
format-csv = eine Zeile je Gerät, für Tabellen sicher
format-jsonl = ein JSON-Objekt je Gerät, mit Schritten
format-xlsx = Mappe: Diagramme, Geräte, Schritte, Werte
format-html = Bericht zum Drucken und Unterschreiben
format-pdf = dieser Bericht als PDF, wo ein Chromium ist
format-steps = CSV, eine Zeile je Versuch jedes Schritts
format-junit = JUnit-XML, eine Suite je Gerät
format-openhtf = OpenHTF-Testsätze, einer je Durchlauf
format-devices = Device IDs der guten Geräte
format-iccids = SIM-Nummern der guten Geräte
format-passports = ZIP mit unterschriebenen Gerätepässen
page-reprint = Etikett noch einmal drucken
page-lot = Charge { $lot }
page-close = [Esc] zurück
help-signs = ZEICHEN
help-keys = TASTEN
help-lights = LICHTER EINES GERÄTS
help-its-step = sein Schritt
help-numbers = Platz; gleich zweite Ziffer: 12

## Wer beheben kann, worauf offene Arbeit wartet

mender-network = Netzwerk
mender-account = Konto
mender-product = Produkt
mender-profile = Prozess
mender-vendor = Hersteller
mender-nobody = niemand: warten

## Die Station ohne Bildschirm

headless-station = Station
headless-slots = { $count ->
        [one] { $count } Platz
       *[other] { $count } Plätze
    }
headless-started = Station { $station }: { $slots }; Cloud { $cloud }; { $watched }
headless-started-virtual = Station { $station }: { $slots }, VIRTUELLE Geräte; Cloud { $cloud }; { $watched }
headless-started-paced = Station { $station }: { $slots }, VIRTUELLE Geräte, { $pace }; Cloud { $cloud }; { $watched }
headless-simulated = simulierte Zeit
headless-faster = Zeit { $times }-mal so schnell
headless-cloud-unknown = noch nicht gefragt
headless-cloud-up = antwortet
headless-cloud-down = antwortet nicht
headless-watches-all = beobachtet alle USB-Ports und wartet auf ein Gerät
headless-watches-port = beobachtet USB-Port { $ports } und wartet auf ein Gerät
headless-watches-ports = beobachtet die USB-Ports { $ports } und wartet auf ein Gerät
headless-stopped = beendet: { $why }
headless-list = Liste { $list }, Produkt { $product }: { $lines }
headless-batch = Los { $batch }: { $title } Revision { $revision }
headless-attempt = Durchlauf { $attempt } mit { $profile }
headless-no-profile = keinem Profil
headless-seen = { $unit }, schon hier: { VERDICT($verdict) }
headless-held = { $step } WARTET: { $what }
headless-record = das Protokoll
headless-resumed = { $step } geht weiter
headless-hands = { $face }: { $what }
headless-scan = Scan { $read }: { $what }
headless-taken = angenommen
headless-owed = offen: { $action } von { $unit }: { $what }
headless-stuck = offen: { $action } von { $unit } WARTET: { $what }
headless-revised = { $unit } ist jetzt { VERDICT($verdict) }
headless-cloud-answers = Cloud antwortet
headless-cloud-gone = Cloud antwortet nicht: { $why }
headless-off = außer Betrieb: { $why }
headless-on = wieder in Betrieb
headless-stranger = ein Gerät an Port { $port }, der zu keinem Platz gehört
headless-refused = nicht ausgeführt: { $why }
headless-fault = Fehler der Station: { $why }
headless-note = Hinweis: { $why }
headless-summary = { $units } in { $seconds } s; Flash-Schreibvorgänge { $flash }, Cloud-Schreibvorgänge { $cloud }, Übertragungen { $transfers }
headless-no-unit = kein Gerät

## Womit eine Geschichte der Demo endet

story-title = Was jedes Gerät enthält, und was die Cloud von ihm enthält, neben seinem Profil:
story-modules = Modulliste gleich: { $count }
story-bytes = Flash gleich: { $bytes } Bytes
story-record = Eintrag gleich: { $count }
story-differs = abweichend, siehe unten
story-sum = { $good } von { $units } Geräten sind genau, was ihre Profile wollen, { $bytes } Bytes insgesamt
