# What it means that an attempt ended with a sentence of the catalogue, and `.try`: what to try next, the cheapest first.
# Read by a technician below what was seen. The key is `why-` and the key of the sentence. Every sentence a FAIL, ERROR
# or stopped attempt can end with has an entry, which a test demands.

## Passed, and not proven any more

why-by_hand = Somebody worked on it by hand after its last walk, at its console or in another mode: what was proved may have changed.
    .try = Retry (R): what is still right passes in seconds, and the rest is done again. Until then it has not passed.

## The wrong unit

why-wrong_platform = The USB id names another platform than the open batch makes. Nothing was asked of the unit or written.
    .try = Put it back to its own batch; or open a batch for this platform, and the unit goes on by itself.
why-no_unit = A USB device that is no Particle unit sits on a port of the bench.
    .try = Take it out, or list its port under ports.ignore in the station's config.
why-no_profile = No open batch has a profile for this platform. Nothing was asked of the unit or written.
    .try = Open a batch for this platform, and the unit goes on by itself; or put it back to its own batch.
why-no_batch = No batch is open at this bench. Nothing was asked of the unit or written.
    .try = Open a batch, and the unit goes on by itself; or take it out until there is one.
why-wrong_label = The same valid label was scanned twice, and it is of no other known unit: label and unit were mixed up.
    .try = Find this label's unit by its serial number, and print or stick the right label. Then retry.
why-wrong_card = The SIM card scanned and the one in the modem have different ICCIDs.
    .try = Compare the number printed on the card with the ICCID below; swap the cards back, then retry.
why-numbers_differ = Two sources of one unit give different values for the same identity.
    .try = See which sources differ below. Retry once; if it stays, the unit has mixed-up parts: set it apart.
why-record_differs = What the cloud knows under this Device ID (serial number, ICCID or platform) is not what the unit says.
    .try = Compare both values below; a swapped modem or SIM explains it. Else ask the vendor about this Device ID.
why-twin = Two units tell the same Device ID. No two units have the same one: one is a copy, or its memory is corrupt.
    .try = Set both apart, note their labels, and identify each of them alone on another port.
why-wrong_sku = The order code of the unit is not one that the profile allows.
    .try = Check the reel or tray: is it the part that was ordered? If it is, add its SKU to the profile.
why-wrong_product = The unit is a member of another product, and the profile may not move it.
    .try = Remove it there with "station rework remove", or transfer it on a supervisor's list; then retry.
why-already_elsewhere = The cloud already counts the unit in another product.
    .try = Find out whose product that is. If it is yours, transfer it by a rework list; if not, set the unit apart.
why-owner_other = Another account has claimed the unit, so it cannot be claimed or taken over from here.
    .try = Have its owner unclaim it, or use "station rework unclaim" if it is in your product; then retry.
why-unknown_serial = What was read as the serial number has no form that a serial number can have.
    .try = Clean the label and scan it again; compare it with the serial number the unit tells.
why-label_not_scanned = Nobody scanned this unit's own label in the time the profile allows.
    .try = Retry and scan the label of this very unit; check that the scanner ends with Enter.
why-strange_identity = An identity the unit told has an impossible form. Its memory or its radio part may be bad.
    .try = Retry once on another port. If the value stays, set the unit apart for analysis.
why-identity_missing = The unit does not tell a value that its platform must have.
    .try = Retry, in listening mode if the value is the modem's or the MAC address. If it stays missing, replace the unit.
why-quarantined = The product holds the unit back: it named the product before anybody imported it.
    .try = Approve it in the console or with "station rework approve"; then retry.
why-marked = The unit carries the development mark, so it would ignore released firmware (D8).
    .try = Take the mark off with "station rework", or in the console; then retry.
why-bad_device_id = The cloud does not know this Device ID, so it takes it into no product.
    .try = Check that the Device ID below is the one on the unit's record; ask the vendor to register it.

## A bad unit

why-unit_rejected = The unit does not fulfil what the profile wants; the reason above says which part.
    .try = Compare the reason with the profile; retry once, then set the unit apart.
why-unit_refused = The unit answered a command with a refusal, and did so again.
    .try = Restart the unit (M), then retry. Check that its Device OS knows the command named above.
why-protected = The unit has Device Protection on: without its key it takes no firmware and few commands.
    .try = If the profile makes protected units, it may be done already. Else unprotect it with the vendor's tools first.
why-wifi_join_failed = This unit could not join the network, although the bench's Wi-Fi serves others.
    .try = Look at its antenna and connector; move it nearer and retry. If it fails again, its radio is bad.
why-wifi_deaf = The unit finds no network at all, while others on this bench do.
    .try = Fit or change the antenna, check which antenna is selected, then retry.
why-wifi_weak = The signal at the unit is below the limit of the profile.
    .try = Seat the antenna, remove metal near it, then retry (R). Still weak: compare with a unit that passed in the same slot.
why-listening_after_setup = After setup and a restart the unit still listens: the setup flag is lost, or no credentials hold.
    .try = Retry (R). If it blinks dark blue again, its configuration memory is bad.
why-write_failed = The bootloader reported an error while it wrote flash.
    .try = Other cable, port without a hub, then retry (R). If it fails at the same address, flash is bad.
why-update_not_applied = The file was received, but after the restart the unit still runs the old version.
    .try = Retry; if it stays, check the dependencies of the module, and that its bootloader is new enough.
why-verify_failed = What was read back from flash is not what was written.
    .try = Other cable, then retry (R). If the same place differs again, flash is bad.
why-sim_failed = The SIM could not be activated, or the cloud reports an error for it.
    .try = Look the ICCID up in the console: is it in another account, or deactivated? Then retry (R).
why-sim_odd = The cloud does not know this ICCID; it may be a SIM of another vendor.
    .try = Compare it with the number on the card. Use the built-in SIM, or tell the profile that the SIM is external.
why-sim_off = The cloud shows the SIM as switched off.
    .try = Switch it on in the console, or find out who switched it off and why; then retry (R).
why-sim_foreign = The SIM belongs to another account.
    .try = Have its owner release it, then import it here and retry (R).
why-sim_released = The SIM was released, so it is in no product.
    .try = Import it again with "station sim import", or in the console; then retry (R).
why-sim_external = The modem works with the SIM in the holder instead of the built-in one.
    .try = Take the card out, restart the unit (M), then retry.
why-sim_missing = The modem reports no SIM.
    .try = Seat the card; look for a bent contact. With a built-in SIM, restart the unit and retry.
why-not_online = The unit did not reach the cloud in time. Wi-Fi, SIM and product looked right.
    .try = Look at its light (P): green is no network, blinking cyan is keys or a firewall. Check the antenna.
why-not_online_sim_active = The SIM is active, yet the network does not let the unit in: the modem itself may be barred (A12).
    .try = Do not change the SIM. Ask the vendor about the IMEI below; check coverage with a unit that passed.
why-not_online_sim = The unit cannot come online, as its SIM is not active yet.
    .try = Wait for the activation (up to an hour), then retry (R).
why-not_claimed = After claiming, the cloud shows no owner, or another one.
    .try = Retry (R). If it stays, check whose token this station uses: station whoami.
why-name_taken = Another device of the account already has this name.
    .try = Find the other device by its name; rename it, or change the template for names in the profile.
why-final_check_failed = At the last look something was not as the profile wants it any more.
    .try = Read what differs above, then retry (R): only that is set again. Is somebody else changing this unit in the cloud?

## Values

why-value_outside = A measured value is outside its limits, two times.
    .try = Check the fixture and its contacts with a unit that passed; then measure again: retry (R).
why-value_too_low = A measured value is below its limit, two times.
    .try = Check supply, fixture and contacts with a unit that passed; then measure again: retry (R).
why-value_too_high = A measured value is above its limit, two times.
    .try = Look for a short or a wrong part; check the fixture with a unit that passed; then measure again: retry (R).
why-value_differs = The unit's application told another value than the profile wants.
    .try = Compare both values above; is it the right test firmware, in the right version?
why-value_no_number = The application told a text where the profile wants a number.
    .try = Check the version of the test firmware against the profile.
why-value_missing = The application's answer lacks a value that the profile wants.
    .try = Check the version of the test firmware against the profile.
why-value_untold = The test program does not tell this value at all, so no unit can be judged by it.
    .try = Correct the name in the profile, or the program; then retry.
why-answer_garbled = The answer of the test was not in the agreed form. The unit is not judged.
    .try = Run the step once more (Enter) and read the answer on the wire; correct the test program.
why-unsteady = The same test was inside its limits one time and outside the next. The unit is not judged.
    .try = Check contacts and supply of the fixture; then retry (R).
why-app_silent = The application does not answer the test. It may not run, or not be the test firmware.
    .try = Look at the light (P); restart the unit (M) and retry. Is the right application on it?
why-instrument_failed = The instrument did not measure. This says nothing about the unit.
    .try = Check its cable, power and program; run the profile's command by hand.

## Firmware

why-firmware_refused = The station refused to write this file: it does not fit the unit, or is damaged.
    .try = Read which check failed above; get the file again with "station firmware", or correct the profile.
why-dependency_missing = A module needs another one first, and the profile does not bring it.
    .try = Add the named module to the profile's release, or update the unit to a version in between.
why-downgrade_refused = The unit holds a newer Device OS than the batch wants, and the profile allows no downgrade.
    .try = Raise the version in the profile, or allow the downgrade there on purpose.

## Stopped

why-unplugged_too_early = The unit left its port while a step was at work. It is not judged.
    .try = Plug it in again: it goes on where it was. If nobody pulled it, change cable or port.
why-stopped_by_operator = Somebody stopped this attempt. The unit is not judged.
    .try = Plug it in again, or retry (R).
why-swapped = Another unit came to the port while this one was awaited. Neither is judged by it.
    .try = Plug the first unit in again; walk the other one by itself.
why-part_walked = Only a part of the profile was run, which is never a pass.
    .try = Retry (R) for a verdict.
why-station_closing = The station was closed during this attempt. The unit is not judged.
    .try = Plug it in again after the start: only what is missing is done.

## The station, not the unit

why-silent = The unit is on the bus but gave no usable answer: none in time, or a garbled one. It is not judged.
    .try = Plug it in again; other cable, port without hub; restart (M). Silent everywhere, it hangs: hold its button, tap RESET, let go at yellow, then retry (R).
why-bad_contact = Transfers broke off again and again: cable, plug or hub.
    .try = Change the cable, then the port. Compare with another unit in this slot.
why-protection_unknown = The unit did not say whether Device Protection is on, so nothing was written.
    .try = Restart the unit (M) and retry; update its Device OS if it is too old to tell.
why-unit_busy = The unit puts the station off again and again: its request slots are taken, or it reports an error each time. Its application may hog it.
    .try = Restart the unit (M), then retry (R). If it stays: safe mode (M), where no application runs, then retry.
why-request_not_offered = The Device OS of this unit, or the application on it, does not know a request that the step needs.
    .try = If a test ended so: is the right test firmware on the unit? Else raise Device OS in the profile, or leave this step out for such units.
why-unit_stuck = The bootloader does not leave its error state.
    .try = Unplug the unit for five seconds (battery too), enter DFU by hand, then retry.
why-console_garbled = The console printed what no console command prints: bad contact, or an application that prints too.
    .try = Put the unit into safe mode (M) and retry; then change cable or port.
why-port_in_use = Another program has the unit or its serial port open.
    .try = Close serial monitors and the vendor's tools; the doctor names ModemManager: station doctor.
why-no_device_nodes = Units are on the bus, but this computer has no device nodes for them: a container, most likely.
    .try = Hand /dev/bus/usb to the container, or run the station on the host.
why-did_not_return = The unit restarted and did not come back in time.
    .try = Look at its light (P): yellow is DFU, dark is power or bootloader. Press RESET, or plug it in again.
why-no_permission = This user may not open USB devices or serial ports.
    .try = Run: sudo station udev install. Then plug the unit in again.
why-bench_wifi_down = The unit could not join, and none joined after it: the network or the unit, it is not known which.
    .try = Check the access point with a phone at the bench; walk a unit that joined before; then retry this one (R).
why-wifi_refused = The network refused the credentials of the profile.
    .try = Check password and security type of the bench's network; correct the secret, then retry (R).
why-update_missing = The update over the air did not arrive in time. The unit is not judged.
    .try = Leave the unit powered and online; check that the firmware is released to its group; then retry.
why-not_released = The product has no released firmware for this unit, so there is nothing to compare with.
    .try = Release a version in the console, or name one under [release] in the profile.
why-cloud_failed = The cloud did not answer as it should, several times. The unit is not judged.
    .try = Check the vendor's status page and this network: station doctor. Then retry.
why-cloud_hold = The cloud is away, and the profile waits for it.
    .try = Check the network of this computer: station doctor. It goes on by itself.
why-cloud_refused = The cloud refused this unit; its words are above.
    .try = Read the answer above and look the Device ID up in the console; set the unit apart meanwhile.
why-cloud_limit = The cloud asks for fewer requests.
    .try = Wait a minute, then retry. Lower requests_per_s in the config if several benches share one account.
why-cloud_blocked = Something between this computer and the cloud answers in its place: proxy, portal or firewall.
    .try = Open a web page on this computer: does a login page come? Ask the network's administrator for the way out.
why-cloud_mend = The cloud refuses this station's account, product or plan, not the unit.
    .try = Read the answer above; check with "station whoami" and "station doctor", then retry.
why-token_rejected = The token of this station is spent or withdrawn.
    .try = Run: station login. Then retry.
why-journal_locked = Another program holds the journal's file.
    .try = Close database viewers and backup programs on the data directory; it goes on by itself.
why-disk_full = The disk of the journal is full. No record, no pass.
    .try = Free some space on the data directory's disk; it goes on by itself.
why-disk_fails = The disk refuses to write: read-only, removed or broken.
    .try = Check that disk and its mount; copy the data directory away while it can be read.
why-journal_failed = The journal cannot be written, so nothing may pass.
    .try = Run: station log verify. Look at rights and free space of the data directory.
why-check_station = The station could not judge the unit; the reason above says what stood in its way.
    .try = Mend what it names, then retry. If it looks like a fault of the program, save this report and send it.

## What may be left after a cut

why-dfu_by_hand = The unit vanished in the middle of a write and may not start by itself any more.
    .try = Hold its button, tap RESET, let go at yellow; it is then written from the start.
why-hands_default = The unit vanished while its bootloader was written: it may need a debugger to start again.
    .try = Plug it in once more; if it stays dark, restore it over SWD with a debugger.

## Labels

why-printer_away = The label printer does not answer. The unit is as good as it was, but it has no label yet.
    .try = Check the printer's power and cable, and its address in the config; then retry: only the label is missing.
why-printer_open = The printer reports that its head is open.
    .try = Close it until it clicks; then retry: only the label is missing.
why-printer_paper = The printer reports that it has no labels left.
    .try = Put in a new roll and let it feed one label; then retry.
why-printer_ribbon = The printer reports that it has no ribbon.
    .try = Put in a ribbon; for direct thermal labels switch the ribbon off in the printer's own menu.
why-printer_paused = The printer reports that it is paused.
    .try = Press its pause key; if it pauses again, look at its display for the reason.

## The factory's own system

why-hook_refused = The factory's own system answered that this unit may not be made. Nothing was written.
    .try = Read its reason above and look the unit up in that system; when it is cleared there, retry.
why-hook_hold = The factory's own system did not answer for as long as the profile waits.
    .try = Check that system and the network to it; call the hook's address by hand, then retry.
