# What the station says in English: the catalogue all others are measured by.
#
# A message is a sentence: its lines say what is the matter, `.do` is the one action. A line has at most 36 cells and 8
# words. Where that does not fit two lines of 18 cells, `.short` is what a small tile says: one line for the matter, one
# for the action. The values of a `Say` stand in the order in which the English sentence names them; other languages
# name them in whatever order they like. A($x) puts an article before a value, VERDICT($x) and THING($x) are the words
# for it, FIGURE($x) writes its decimal mark, DAYTIME($x) is a moment by the clock on the wall.

-unplug = Unplug.
-red-bin = Red bin.
-technician = Technician.
-set-aside = Set-aside tray.
-rework = Rework tray.
-supervisor = Call supervisor.
-again = Plug it in again.
-other-cable = Other cable, other port?
-other-cable-short = Other cable, port?
-goes-on = Wait. It goes on by itself.
-goes-on-short = Goes on by itself.
-take-out = Take it out.
-scan-again = Scan again.
-scan-label = Scan the unit's label.

## Good ends

pass =
    .do = { -unplug }
pending = Finished when the cloud answers.
    .do = { -set-aside }
    .short =
        Waits for cloud.
        { -set-aside }
sim_pending = SIM is not active yet.
    .do = { -set-aside }
    .short =
        SIM not active.
        { -set-aside }

## Passed, and not proven any more

by_hand = Worked on by hand.
    .do = Retry it (R).

## The wrong unit

wrong_platform =
    This is { A($found) }.
    This batch wants { $wanted }.
    .do = { -take-out }
    .short =
        Wants { $wanted }.
        { -take-out }
no_unit =
    This is { A($found) }.
    It does not belong here.
    .do = { -take-out }
    .short =
        Does not belong.
        { -take-out }
no_profile = No open batch for { A($found) }.
    .do = { -take-out }
    .short =
        No batch for it.
        { -take-out }
no_batch = No batch is open.
    .do = { -supervisor }
wrong_label = Label and unit do not match.
    .do = { -technician }
    .short =
        Label differs.
        { -technician }
wrong_card = SIM card and unit do not match.
    .do = { -technician }
    .short =
        SIM card differs.
        { -technician }
numbers_differ = Two numbers of the unit differ.
    .do = { -technician }
    .short =
        Numbers differ.
        { -technician }
record_differs = Cloud and unit do not match.
    .do = { -technician }
    .short =
        Cloud differs.
        { -technician }
twin = Slot { $slot } has the same unit.
    .do = { -technician }
    .short =
        Same: slot { $slot }.
        { -technician }
wrong_sku =
    This is a { $found }.
    This batch wants { $wanted }.
    .do = { -red-bin }
    .short =
        Wants { $wanted }.
        { -red-bin }
wrong_product = Already in product { $product }.
    .do = { -technician }
    .short =
        In other product.
        { -technician }
already_elsewhere = Already in product { $product }.
    .do = { -technician }
    .short =
        In other product.
        { -technician }
owner_other = Another account owns this unit.
    .do = { -rework }
    .short =
        Owned by others.
        { -rework }
unknown_serial = Label cannot be read.
    .do = { -technician }
    .short =
        Unreadable label.
        { -technician }
label_not_scanned = Its own label was not scanned.
    .do = { -again }
    .short =
        Label not scanned.
        { -again }
strange_identity = A number of the unit is odd.
    .do = { -technician }
    .short =
        Odd number.
        { -technician }
identity_missing = Unit has no { THING($missing) }.
    .do = { -technician }
quarantined = Cloud holds this unit back.
    .do = { -rework }
    .short =
        Held by the cloud.
        { -rework }
marked = Unit is marked for development.
    .do = { -rework }
    .short =
        Development unit.
        { -rework }
bad_device_id = The cloud does not know this unit.
    .do = { -technician }
    .short =
        Unknown to cloud.
        { -technician }

## A bad unit

unit_rejected = Unit rejected.
    .do = { -red-bin }
unit_refused = Unit refused.
    .do = { -red-bin }
protected = Unit is locked.
    .do = { -technician }
wifi_join_failed = Unit cannot join Wi-Fi.
    .do = { -red-bin }
    .short =
        Cannot join Wi-Fi.
        { -red-bin }
wifi_deaf = Unit hears no Wi-Fi.
    .do = { -red-bin }
    .short =
        Hears no Wi-Fi.
        { -red-bin }
wifi_weak =
    Wi-Fi signal is weak.
    { $signal } dBm, wants { $least }.
    .do = { -red-bin }
    .short =
        Wi-Fi is weak.
        { -red-bin }
listening_after_setup = Light still blinks dark blue.
    .do = { -technician }
    .short =
        Still dark blue.
        { -technician }
write_failed = Write failed.
    .do = { -red-bin }
update_not_applied = Update was not applied.
    .do = { -red-bin }
    .short =
        Update failed.
        { -red-bin }
verify_failed = Read-back failed.
    .do = { -red-bin }
sim_failed = SIM does not work.
    .do = { -technician }
sim_odd =
    SIM { $iccid }
    is not known.
    .do = { -technician }
    .short =
        Unknown SIM.
        { -technician }
sim_off = SIM is off in the cloud.
    .do = { -supervisor }
    .short =
        SIM is off.
        { -supervisor }
sim_foreign = Another account owns this SIM.
    .do = { -supervisor }
    .short =
        SIM of others.
        { -supervisor }
sim_released = SIM is not in the product.
    .do = { -supervisor }
    .short =
        SIM not added.
        { -supervisor }
sim_external = Unit uses its other SIM.
    .do = { -technician }
    .short =
        Other SIM in use.
        { -technician }
sim_missing = No SIM found.
    .do = { -technician }
not_online =
    Unit does not come online.
    Antenna, coverage?
    .do = { -technician }
    .short =
        Antenna, coverage?
        { -technician }
not_online_sim_active =
    Unit stays offline.
    New SIM does not help.
    .do = { -technician }
    .short =
        Offline, SIM good.
        { -technician }
not_online_sim =
    Unit stays offline.
    SIM { $iccid }
    is not active.
    .do = { -technician }
    .short =
        SIM is not active.
        { -technician }
not_claimed = Unit has no owner.
    .do = { -technician }
name_taken = Name { $name } is taken.
    .do = { -technician }
    .short =
        Name is taken.
        { -technician }
final_check_failed = Final check failed.
    .do = { -technician }
    .short =
        Final check bad.
        { -technician }

## Values out of their limits, and tests that judge nobody

value_outside =
    { $name } { FIGURE($found) },
    wants { FIGURE($low) } to { FIGURE($high) }.
    .do = { -red-bin }
    .short =
        Out of limits.
        { -red-bin }
value_too_low =
    { $name } { FIGURE($found) },
    wants at least { FIGURE($low) }.
    .do = { -red-bin }
    .short =
        Value too low.
        { -red-bin }
value_too_high =
    { $name } { FIGURE($found) },
    wants at most { FIGURE($high) }.
    .do = { -red-bin }
    .short =
        Value too high.
        { -red-bin }
value_differs =
    { $name } { $found },
    wants { $wanted }.
    .do = { -red-bin }
    .short =
        Value differs.
        { -red-bin }
value_no_number =
    { $name } { $found },
    wants a number.
    .do = { -red-bin }
    .short =
        Not a number.
        { -red-bin }
value_missing = { $name } is missing.
    .do = { -red-bin }
value_untold = Test does not tell { $name }.
    .do = { -supervisor }
    .short =
        Value not told.
        { -supervisor }
answer_garbled = Answer of the test is garbled.
    .do = { -technician }
    .short =
        Answer garbled.
        { -technician }
unsteady = Values change with every test.
    .do = { -technician }
    .short =
        Unsteady values.
        { -technician }
app_silent = Test does not answer.
    .do = { -again }
    .short =
        Test is silent.
        { -again }
instrument_failed =
    { $name }
    does not measure.
    .do = { -technician }
    .short =
        Instrument fails.
        { -technician }
power_busy = Another unit needs the power.
    .do = { -goes-on }
    .short =
        Waits for power.
        { -goes-on-short }
instrument_busy = Another slot is being measured.
    .do = { -goes-on }
    .short =
        Meter is in use.
        { -goes-on-short }

## Labels

scan_printed = New label: { $unit }.
    .do = Scan it on the unit.
    .short =
        New label.
        Scan it on unit.
label_in_doubt = Look for label { $unit }.
    .do = Scan it, or print it again.
    .short =
        Look for label.
        Scan, or print it.
old_label = That is not the new label.
    .do = Scan the new label.
    .short =
        Is the old label.
        Scan the new one.
no_label_again = No label to print again.
printer_busy = { $printer } prints another label.
    .do = { -goes-on }
    .short =
        Printer is busy.
        { -goes-on-short }
printer_away = Printer { $printer } does not answer.
    .do = Check its cable and power.
    .short =
        Printer is away.
        Check its cable.
printer_paper = Printer { $printer } has no labels left.
    .do = Put in a new roll.
    .short =
        Printer is empty.
        New roll.
printer_ribbon = Printer { $printer } has no ribbon.
    .do = Put in a new ribbon.
    .short =
        Ribbon is empty.
        New ribbon.
printer_open = Printer { $printer } is open.
    .do = Close it.
    .short =
        Printer is open.
        Close it.
printer_paused = Printer { $printer } is paused.
    .do = Press its pause key.
    .short =
        Printer paused.
        Press its pause.

## Firmware

firmware_refused = Firmware does not fit this unit.
    .do = { -supervisor }
    .short =
        Wrong firmware.
        { -supervisor }
dependency_missing = Unit needs { $module } first.
    .do = { -supervisor }
    .short =
        Module is missing.
        { -supervisor }
downgrade_refused = Unit is newer than the batch.
    .do = { -supervisor }
    .short =
        Unit is too new.
        { -supervisor }

## Stopped

unplugged_too_early = Unplugged too early.
    .do = { -again }
    .short =
        Too early.
        { -again }
stopped_by_operator = Stopped by hand.
    .do = { -again }
swapped = Another unit took its place.
    .do = Plug the first one in again.
    .short =
        Wrong unit in.
        Plug in the first.
part_walked = Only some of the steps ran.
    .do = Retry for a verdict.
    .short =
        Some steps only.
        Retry to judge.
station_closing = Station was closed.
    .do = { -again }
    .short =
        Station closed.
        { -again }

## The station, not the unit

silent = No answer.
    .do = { -other-cable }
    .short =
        No answer.
        { -other-cable-short }
bad_contact = USB contact is bad.
    .do = { -other-cable }
    .short =
        Bad USB contact.
        { -other-cable-short }
protection_unknown = Unit may be locked.
    .do = { -technician }
    .short =
        Maybe locked.
        { -technician }
unit_busy = Unit is too busy to answer.
    .do = { -again }
    .short =
        Unit is too busy.
        { -again }
request_not_offered = Unit does not know this command.
    .do = { -supervisor }
    .short =
        Unknown command.
        { -supervisor }
unit_stuck = Unit is stuck.
    .do = { -again }
console_garbled = Serial line is garbled.
    .do = { -other-cable }
    .short =
        Serial garbled.
        { -other-cable-short }
port_in_use = Unit is in use elsewhere.
    .do = { -supervisor }
    .short =
        Used elsewhere.
        { -supervisor }
no_device_nodes = This computer hides USB units.
    .do = { -supervisor }
    .short =
        USB is hidden.
        { -supervisor }
did_not_return = Unit did not come back.
    .do = { -again }
    .short =
        Did not come back.
        { -again }
no_permission = No USB permission.
    .do = { -technician }
bench_wifi_down = Wi-Fi of the bench may be down.
    .do = { -supervisor }
    .short =
        Bench Wi-Fi down?
        { -supervisor }
wifi_refused = Wi-Fi refuses the unit.
    .do = { -supervisor }
    .short =
        Wi-Fi refuses it.
        { -supervisor }
update_missing = Update did not come.
    .do = { -again }
    .short =
        No update came.
        { -again }
not_released = No firmware is released.
    .do = { -supervisor }
    .short =
        No firmware yet.
        { -supervisor }
cloud_failed = Cloud does not answer.
    .do = { -supervisor }
    .short =
        No cloud answer.
        { -supervisor }
cloud_hold = Cloud does not answer.
    .do = { -goes-on }
    .short =
        No cloud answer.
        { -goes-on-short }
cloud_refused = Cloud refused this unit.
    .do = { -technician }
    .short =
        Refused by cloud.
        { -technician }
hook_refused =
    Factory system says:
    { $reason }.
    .do = { -technician }
    .short =
        Factory says no.
        { -technician }
hook_hold = { $hook } does not answer.
    .do = { -goes-on }
    .short =
        Factory silent.
        { -goes-on-short }
cloud_limit = Cloud is busy.
    .do = { -goes-on }
    .short =
        Cloud is busy.
        { -goes-on-short }
scanner_busy = Another slot has the scanner.
    .do = { -goes-on }
    .short =
        Scanner is in use.
        { -goes-on-short }
before_it = { $count } before it.
cloud_blocked = Network blocks the cloud.
    .do = { -supervisor }
    .short =
        Cloud is blocked.
        { -supervisor }
cloud_mend = Cloud refuses this station.
    .do = { -supervisor }
    .short =
        Station refused.
        { -supervisor }
token_rejected = Cloud token rejected.
    .do = { -supervisor }
    .short =
        Token rejected.
        { -supervisor }
journal_locked = Record is locked.
    .do = Close what else uses it.
    .short =
        Record is locked.
        Free the record.
disk_full = Disk is full.
    .do = { -supervisor }
disk_fails = Disk does not write.
    .do = { -supervisor }
    .short =
        Disk write fails.
        { -supervisor }
record_again = Record is written again.
journal_failed = Record cannot be written.
    .do = { -supervisor }
    .short =
        Record not kept.
        { -supervisor }
check_station = Unit is not judged.
    .do = { -technician }
    .short =
        Unit not judged.
        { -technician }

## Hands

scan_label = Unit { $unit }.
    .do = Scan its label.
    .short =
        { $unit }
        Scan its label.
label_of_slot = That is the label of slot { $slot }.
    .do = { -scan-again }
    .short =
        Label of slot { $slot }.
        { -scan-again }
label_of_nameless = Perhaps the label of slot { $slot }.
    .do = Take that unit out.
    .short =
        Slot { $slot }'s label?
        Take that one out.
label_of_passed =
    That is the label of a unit
    that passed { DAYTIME($at) }.
    .do = { -scan-again }
    .short =
        Label of a PASS.
        { -scan-again }
label_of_failed =
    That is the label of a unit
    that failed { DAYTIME($at) }.
    .do = { -scan-again }
    .short =
        Label of a FAIL.
        { -scan-again }
label_of_other = That is the label of another unit.
    .do = { -scan-again }
    .short =
        Label of another.
        { -scan-again }
label_differs =
    Label says { $label }.
    Unit does not.
    .do = { -scan-again }
    .short =
        Label differs.
        { -scan-again }
label_half_differs = Second half of the label differs.
    .do = { -scan-again }
    .short =
        Second half wrong.
        { -scan-again }
keyboard_layout =
    Scanner keyboard is { $layout }.
    It has to be English.
    .do = { -supervisor }
    .short =
        Wrong keyboard.
        { -supervisor }
not_the_label = That is { A($thing) }.
    .do = { -scan-label }
    .short =
        That is no label.
        Scan its label.
no_label = { $read } is no label.
    .do = { -scan-label }
    .short =
        That is no label.
        Scan its label.
scan_card = Unit { $unit }.
    .do = Scan its SIM card.
    .short =
        { $unit }
        Scan its SIM card.
card_differs =
    Card says { $iccid }.
    SIM in the unit does not.
    .do = { -scan-again }
    .short =
        SIM card differs.
        { -scan-again }
not_the_card = That is no SIM card.
    .do = Scan the SIM card.
    .short =
        That is no SIM.
        Scan the SIM card.
dfu_by_hand =
    .do = Hold { $button }. Tap RESET. Let go at YELLOW.
    .short =
        { $button } + tap RESET.
        Let go at YELLOW.
listening_by_hand =
    .do = Hold { $button }. Let go at DARK BLUE.
safe_by_hand =
    Hold { $button } and tap RESET.
    .do = Let go at MAGENTA.
    .short =
        { $button } + tap RESET.
        Let go at MAGENTA.
reset_by_hand =
    .do = Press RESET.
check_sim = Unit waits to be set up.
    .do = Check its SIM.
    .short =
        Waits for setup.
        Check its SIM.

## Slots between attempts

arrived = New unit
starting = Starting
do_not_unplug =
    .do = Do not unplug.
would_stay_dark =
    .do = Do not unplug: it would stay dark.
hands_default =
    .do = { -technician }

## Lines of the station

unknown_port = Unit on an unknown port.
    .do = Press the number of its slot.
    .short =
        Unknown port.
        Press its number.
no_free_slot = Unit on an unknown port.
    .do = Plug it into a slot.
    .short =
        Unknown port.
        Plug into a slot.
slot_taken = Slot { $slot } has a port already.
    .do = Press another number.
    .short =
        Slot has a port.
        Press another one.
scan_unreadable = Not a whole label or badge.
    .do = { -scan-again }
    .short =
        Unreadable scan.
        { -scan-again }
scan_unclaimed = No slot waits for it.
unit_history =
    Unit { $unit }:
    { VERDICT($verdict) }, { DAYTIME($at) }.
unit_begun =
    Unit { $unit }
    was here, not finished.
    .short =
        Was here before,
        not finished.
slot_off =
    { $why }
    Since { DAYTIME($at) }.
choose_slot =
    .do = First press a slot number.
slot_closed = Slot { $slot } is out of service.
no_slot = There is no slot { $slot }.
slot_at_work = Slot { $slot } is at work.
    .do = Wait for its verdict.
    .short =
        Still at work.
        Wait for verdict.
nothing_runs = Nothing runs in slot { $slot }.
nothing_there = No unit in slot { $slot }.
    .do = Plug in a unit.
    .short =
        Slot is empty.
        Plug in a unit.
cloud_back = Cloud answers again.
cloud_gone = Cloud does not answer.
no_sound = This computer plays no sound.
batch_open = Batch { $batch } open.
batch_not_open = Batch { $batch } is not open.
    .do = { -supervisor }
    .short =
        Batch is not open.
        { -supervisor }
lot_of_batch = Lot { $lot } now in batch { $batch }.
lot_of_slot = Lot { $lot } built into slot { $slot }.
lot_out = Lot taken out ({ $lot }).
lot_of_no_batch = Lot { $lot } belongs to no batch.
    .do = Scan the batch, then the lot.
    .short =
        Lot has no batch.
        Scan batch first.
lot_of_no_unit = Lot { $lot }: no unit in this slot.
    .do = Plug in the unit, then scan.
    .short =
        Slot is empty.
        Unit first.
batch_shut = Batch { $batch } closed.
batch_sealed =
    Batch { $batch } is sealed.
    Key { $key }.
    .short = Batch is sealed.
batch_ended = Batch { $batch } was closed for good.
    .do = Type another name.
    .short =
        Batch is closed.
        Type another name.
profile_unreleased = Profile { $profile } is not released.
    .do = Type another one.
    .short =
        Not released.
        Type another one.
operator_in = Operator { $badge }.
operator_out = No operator.
    .do = Scan your badge.
pull_unit = Cloud refused unit { $unit }.
    .do = Pull it from the tray.
    .short =
        Refused by cloud.
        Take from tray.
owed_stuck =
    Unit { $unit }
    is still not finished.
    .do = { -supervisor }
    .short =
        Unit unfinished.
        { -supervisor }
walk_again =
    SIM of unit { $unit }
    works now.
    .do = Plug the unit in again.
    .short =
        SIM works now.
        Plug it in again.
late_unknown = Unit { $unit } is not judged.
    .do = { -technician }
    .short =
        Unit not judged.
        { -technician }
late_pass = Unit { $unit } is finished now.
station_fault = The station has a fault.
    .do = { -supervisor }
    .short =
        Station fault.
        { -supervisor }
seen_before = Seen before: { VERDICT($verdict) }, { $at }, { $station }.
    .short = Seen before: { VERDICT($verdict) }

## Questions

leave_writing = A unit is being written.
    .do = Leave anyway?
    .short =
        Writing a unit.
        Leave anyway?
stop_writing = Slot { $slot } is being written.
    .do = Stop it anyway?
    .short =
        Being written.
        Stop it anyway?
stop_running = Slot { $slot } is at work.
    .do = Stop it?
    .short =
        Still at work.
        Stop it?
leave_running = Units are not finished.
    .do = Leave anyway?
    .short =
        Units unfinished.
        Leave anyway?
close_batch = Nothing goes to batch { $batch } again.
    .do = Close it for good?
    .short =
        Batch ends here.
        Close it for good?
close_busy_batch = { $count } at work count in { $batch }.
    .do = Close it for good?
    .short =
        { $count } at work.
        Close it for good?
type_label =
    .do = Type the label. Then Enter.
type_reason =
    .do = Why is it out of service? Enter.
batch_wrong = Batch and profile are needed.
    .do = Type both.
    .short =
        Batch, profile?
        Type both.
batch_name = Batch name is not valid.
    .do = Letters, digits, dashes only.
    .short =
        Bad batch name.
        Letters, digits, -
target_wrong = Number of units is not valid.
    .do = Type a whole number.
    .short =
        Bad number.
        Type whole number.

## One word for each state of a slot, on all faces. `.short` is for small tiles, `.do` what to do if nobody says better,
## `.means` stands on the help page. `.blocks`: what is drawn in large letters where
## the word itself has no drawing or no room.

face-empty =
    .do = Plug in a unit.
face-off = OFF
    .short = OFF
    .means = out of service: leave it alone
face-running =
    .means = wait
face-waits = WAITS
    .short = WAITS
    .means = wait, it goes on by itself
face-hands = YOUR TURN
    .short = TURN
    .blocks = TURN
    .blocks = TURN
    .means = do what it says
face-pass = PASS
    .short = PASS
    .do = { -unplug }
    .means = unplug
face-pending = SET ASIDE
    .short = TRAY
    .do = { -set-aside }
    .means = set-aside tray, finished later
face-fail = FAIL
    .short = FAIL
    .do = { -red-bin }
    .means = red bin, or where it says
face-aborted = STOPPED
    .short = STOP
    .do = { -again }
    .means = plug it in again
face-error = CHECK STATION
    .short = CHECK
    .do = { -technician }
    .means = unit is not judged: check what it says

## Steps, as an operator calls them

step-identify = Identify
step-dfu = Prepare
step-device_os = Device OS
step-firmware = Firmware
step-product_add = Add to product
step-name = Name
step-group = Group
step-notes = Notes
step-development = Development mark
step-firmware_lock = Lock version
step-wifi = Wi-Fi
step-wifi_clear = Forget Wi-Fi
step-setup_done = Setup flag
step-sim = SIM
step-online = Online
step-release = Release
step-claim = Claim
step-claim_code = Claim code
step-customer = Customer
step-app_test = Test
step-tests = Measure
step-final_check = Final check
step-label = Label

## What a step did

outcome-already = already
outcome-done = done
outcome-skipped = skipped
outcome-deferred = owed
outcome-failed = failed
outcome-aborted = stopped
outcome-error = error

## The light of a unit (reference provisioning-rules 3.4): what it does, `.means` what that means

led-blinking-dark-blue = blinking dark blue
    .colour = dark blue
    .means = listening for setup
led-fast-blinking-blue = blinking blue, fast
    .colour = blue
    .means = clearing its networks
led-breathing-blue = breathing blue
    .colour = blue
    .means = radio on, not connected
led-blinking-yellow = blinking yellow
    .colour = yellow
    .means = in DFU, ready to be written
led-blinking-magenta = blinking magenta
    .colour = magenta
    .means = updating: do not unplug
led-breathing-magenta = breathing magenta
    .colour = magenta
    .means = safe mode: no application
led-blinking-green = blinking green
    .colour = green
    .means = searching for a network
led-breathing-green = breathing green
    .colour = green
    .means = network, but no cloud
led-blinking-cyan = blinking cyan
    .colour = cyan
    .means = connecting to the cloud
led-breathing-cyan = breathing cyan
    .colour = cyan
    .means = online
led-breathing-white = breathing white
    .colour = white
    .means = radio off
led-blinking-red = blinking red
    .colour = red
    .means = has a fault
led-rainbow = rainbow
    .colour = rainbow
    .means = the unit you asked for
led-off = dark
    .colour = dark
    .means = no power, or dead

## Things that stand inside a sentence

thing-order-code = order code
thing-sim-number = SIM number
thing-no-label = no label
thing-serial-number = serial number
thing-mac-address = MAC address
thing-known-sku = known SKU

## Days and figures; what stands between two sentences on one line

figure-days = Mon Tue Wed Thu Fri Sat Sun
figure-seconds = { $figure } s
figure-minutes = { $minutes } min
figure-hours = { $hours } h { $minutes } min
figure-mark = .
figure-join = { " " }
figure-breaks =
    devel-op-ment Devel-op-ment In-stru-ment Tech-ni-cian un-plugged Un-plugged Un-read-able else-where per-mis-sion
    su-pervisor un-fin-ished
figure-yields = FPY { $first }, final yield { $final }, { $retests ->
        [one] { $retests } retest
       *[other] { $retests } retests
    }

## The line at the top of the screen

header-virtual = VIRTUAL
header-simulated = VIRTUAL, simulated time
header-cloud = cloud { $state }
header-owed = owed { $count }
header-operator = op { $badge }
header-no-batch = no batch open
header-batch = batch { $batch }
header-batches = { $count } batches
header-trial = { $product } TRIAL
header-yield = FPY { $share }

## Tiles and the lines below them

tile-left = { $time } left
tile-steps = { $done } of { $all } steps
log-slot = slot { $slot }
log-ended = { VERDICT($verdict) } in { $took }
log-why = { $what }: { $why }
log-scan = Scan { $read }: { $what }

## Keys, and what they do

cap-up = Up
cap-down = Down
key-slot = slot
key-details = details
key-retry = retry
key-light = light
key-label = type a label
key-off = out of service
key-batch = batch
key-find = find
key-help = help
key-leave = leave
key-panel = panel
key-choose = choose a step
key-run = run it
key-from = run from here
key-mode = mode
key-console = console
key-pattern = light seen
key-bytes = bytes
key-trace = save wire
key-report = save report
key-print = label again
key-copy = copy
key-stop = stop
key-back = back
key-none = { $cap } does nothing here

## The technician's view

details-port = port { $port }
details-batch = batch { $batch }
details-profile = profile { $profile }
details-attempt = attempt { $attempt }
details-steps = STEPS
details-identities = IDENTITIES
details-firmware = FIRMWARE
details-wire = WIRE
details-wire-lost = Nothing was kept: exchanges are kept when an attempt ends, and the station was stopped during this one.
details-wanted = wanted { $version }
details-was = (was { $values })
details-seen = Seen
details-means = Means
details-try = Try next
details-light = Light seen
details-light-wanted = Light
details-device-id = Device ID
details-unit = Unit
details-verdict = Result
details-module = module
details-column-wanted = wanted
details-column-hash = hash
details-column-held = held
details-no-wire = Nothing was recorded here. Start the station with --trace to see what is said on the wire.
details-no-bytes = Only these words were kept. Start the station with --trace to see bytes.
details-no-unit = Slot { $slot } holds no unit: plug one in.
details-unit-left = This unit has left slot { $slot }: plug it in again, or go back.
details-other-unit = Another unit is in slot { $slot } now: go back, and open the slot again.
details-prints = Its label is printed once more.
details-no-steps = No step is known yet: retry the unit first.
details-no-attempt = Nothing was tried here yet: there is nothing to report.
details-at-work = Slot { $slot } is at work: wait for its verdict, or stop it.
details-nothing-runs = Nothing runs in slot { $slot }.
details-runs = { $step } runs now, by itself.
details-runs-from = { $step } and all behind it run now.
details-enters = Goes into this mode: { $mode }.
details-choose-mode = INTO WHICH MODE?
details-choose-light = WHAT DOES THE LIGHT DO?
details-saving = Is being written.
details-copied = Copied: Device ID, light, result and reason.
console-title = CONSOLE OF SLOT { $slot }
console-opening = The unit is brought into listening mode.
console-keys = One character is a command   [Enter] send   [Esc] close
hand-work = Somebody works on this unit by hand: it has to be walked again.
console-opened = Its console is open.
console-ended-closed = Its console is closed.
console-ended-idle = Its console is closed: nobody typed for a quarter of an hour.
console-ended-left = The unit has left slot { $slot }, and its console with it.
console-ended-walk = Its console is closed: the unit is walked again.
console-ended-command = Its console is closed: something else was asked of the unit.
console-ended-stopping = Its console is closed: the station stops.
console-ended-busy = Slot { $slot } is at work: no console before its verdict.
console-ended-empty = Slot { $slot } holds no unit: plug one in.
console-ended-failed = No console: { $why }
console-skipped = { $count } lines are left out: they came too fast
window-choose = [Up] [Down] choose   [Enter] take it   [Esc] close
did-saved = Saved: { $what }
did-mode = Now in this mode: { $what }
did-light-on = Its light is a rainbow now.
did-light-off = Its light is its own again.
mode-dfu = DFU
mode-dfu-does = waits to be written, light blinks yellow
mode-listening = listening
mode-listening-does = waits to be set up, light blinks dark blue
mode-safe = safe mode
mode-safe-does = starts without its application
mode-reset = restart
mode-reset-does = starts again, also out of DFU

## Windows and pages

window-slot = Slot { $slot }.
window-yes-no = [Y] yes   [N] no
window-label = [Enter] use it   [Esc] close
page-batches = BATCHES
page-batches-keys = [Up] [Down] choose  [N] new  [C] close it  [E] export  [O] owed  [W] rework  [F] find  [Esc] close
page-is-open = open
page-closed = closed { $at }
page-of = { $count } of { $target }
page-pareto = WHY ATTEMPTS FAILED
page-yields = FIRST VERDICTS BY THE HOUR
page-no-failures = Nothing failed.
page-more-failures = { $count } more attempts
page-no-hours = No unit was judged yet.
page-final = final yield
page-retests = retests
page-units = units seen
page-no-unit = without unit
page-no-unit-attempts = { $count ->
        [one] 1 attempt
       *[other] { $count } attempts
    }
page-by-hand = worked on
page-by-hand-units = { $count ->
        [one] 1 unit, walk it again
       *[other] { $count } units, walk them again
    }
page-takt = takt
page-left = time left
page-expected = units came
page-never-came = { $count ->
        [one] { $count } unit never came:
       *[other] { $count } units never came:
    }
page-unfinished = not finished
page-new = NEW BATCH
page-profile = PROFILE
page-batch = name of the batch
page-target = how many units (may stay empty)
page-keys = [Enter] open it   [Tab] next field   [Esc] close
page-find = FIND A UNIT
page-find-what = any number, or its last digits; a batch, lot, verdict, day
page-find-keys = [Up] [Down] choose   [Enter] all about it   [Esc] close
page-find-none = No unit has that number.
page-owed = OWED WORK
page-owed-keys = [Up] [Down] choose   [Enter] all about it   [R] try it now   [A] try everything   [Esc] close
page-owed-none = Nothing is owed.
page-owed-retried = What { $unit } owes is tried now.
page-owed-retried-all = All that is owed is tried now.
page-its-turn = waits for its turn
page-rework = UNITS TO REWORK
page-rework-keys = [Up] [Down] choose   [Enter] all about it   [Esc] close
page-rework-none = No unit is to be reworked.
page-life-keys = [Up] [Down] [PgUp] [PgDn] scroll   [Esc] close
page-first-seen = first seen { $at } { $zone }
page-owes = OWES
page-attempts = { $count ->
        [one] { $count } ATTEMPT
       *[other] { $count } ATTEMPTS
    }
page-export = EXPORT OF BATCH { $batch }
page-folder = FOLDER
page-export-keys = [Enter] export   [Tab] next field   [Esc] close
page-exported = { $rows } rows in { $path }
format-csv = one row a unit, safe in a spreadsheet
format-jsonl = a JSON object a unit, with steps and wire
format-xlsx = a workbook: charts, units, steps, values
format-html = a report to print and sign
format-pdf = that report as PDF, if a Chromium is here
format-steps = CSV, a row for every try of every step
format-junit = JUnit XML, a suite for each unit
format-openhtf = OpenHTF test records, one an attempt
format-devices = Device IDs of the units that passed
format-iccids = SIM numbers of the units that passed
format-passports = a ZIP of signed device passports
page-reprint = print the label again
page-lot = lot { $lot }
page-close = [Esc] close
help-signs = SIGNS
help-keys = KEYS
help-lights = LIGHTS OF A UNIT
help-its-step = its step
help-numbers = slot; a second digit at once: 12

## Who can mend what keeps owed work waiting

mender-network = network
mender-account = account
mender-product = product
mender-profile = process engineer
mender-vendor = vendor
mender-nobody = nobody: wait

## The bench without a screen

headless-station = station
headless-slots = { $count } slots
headless-started = station { $station }: { $slots }; cloud { $cloud }; { $watched }
headless-started-virtual = station { $station }: { $slots }, VIRTUAL units; cloud { $cloud }; { $watched }
headless-started-paced = station { $station }: { $slots }, VIRTUAL units, { $pace }; cloud { $cloud }; { $watched }
headless-simulated = simulated time
headless-faster = time { $times } times as fast
headless-cloud-unknown = was not asked yet
headless-cloud-up = answers
headless-cloud-down = does not answer
headless-watches-all = watches every USB port and waits for a unit
headless-watches-port = watches USB port { $ports } and waits for a unit
headless-watches-ports = watches USB ports { $ports } and waits for a unit
headless-stopped = stopped: { $why }
headless-list = list { $list }, product { $product }: { $lines }
headless-batch = batch { $batch }: { $title } revision { $revision }
headless-attempt = attempt { $attempt } with { $profile }
headless-no-profile = no profile
headless-seen = { $unit }, seen before: { VERDICT($verdict) }
headless-held = { $step } WAITS: { $what }
headless-record = the record
headless-resumed = { $step } goes on
headless-hands = { $face }: { $what }
headless-scan = scan { $read }: { $what }
headless-taken = taken
headless-owed = owed { $action } of { $unit }: { $what }
headless-stuck = owed { $action } of { $unit } WAITS: { $what }
headless-revised = { $unit } is now { VERDICT($verdict) }
headless-cloud-answers = cloud answers
headless-cloud-gone = cloud does not answer: { $why }
headless-off = out of service: { $why }
headless-on = in service again
headless-stranger = a unit on port { $port }, which is no slot's
headless-refused = not done: { $why }
headless-fault = station fault: { $why }
headless-note = note: { $why }
headless-summary = { $units } in { $seconds } s; flash writes { $flash }, cloud writes { $cloud }, transfers { $transfers }
headless-no-unit = no unit

## What a story of the demo ends with

story-title = What each unit holds, and what the cloud holds of it, beside its profile:
story-modules = module list equal: { $count }
story-bytes = flash equal: { $bytes } bytes
story-record = record equal: { $count }
story-differs = differs, see below
story-sum = { $good } of { $units } units are exactly what their profiles want, { $bytes } bytes in all
