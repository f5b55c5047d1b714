# 工站用简体中文显示的全部文字。规则见 en.ftl 开头。

-unplug = 请拔下。
-red-bin = 放红箱。
-technician = 叫技术员。
-set-aside = 放入待定盘。
-rework = 放入返修盘。
-supervisor = 叫班长。
-again = 请重插。
-other-cable = 换线或换端口？
-goes-on = 等待，会自动继续。
-take-out = 请取出。
-scan-again = 请重新扫描。
-scan-label = 请扫描设备标签。

## 正常结束

pass =
    .do = { -unplug }
pending = 云端应答后完成。
    .do = { -set-aside }
sim_pending = SIM 卡尚未激活。
    .do = { -set-aside }

## 曾通过，但不再有证明

by_hand = 有人手动操作过。
    .do = 请重试（R）。

## 设备不对

wrong_platform =
    这是 { $found }。
    本批次要 { $wanted }。
    .do = { -take-out }
    .short =
        应为 { $wanted }。
        { -take-out }
no_unit =
    这是 { $found }。
    它不属于本工站。
    .do = { -take-out }
    .short =
        不属于本工站。
        { -take-out }
no_profile = 没有 { $found } 的批次。
    .do = { -take-out }
    .short =
        没有它的批次。
        { -take-out }
no_batch = 没有已开的批次。
    .do = { -supervisor }
wrong_label = 标签与设备不符。
    .do = { -technician }
wrong_card = SIM 卡与设备不符。
    .do = { -technician }
numbers_differ = 设备的两个号码不一致。
    .do = { -technician }
    .short =
        两个号码不一致。
        { -technician }
record_differs = 云端记录与设备不符。
    .do = { -technician }
    .short =
        云端记录不符。
        { -technician }
twin = 槽位 { $slot } 有同一台设备。
    .do = { -technician }
    .short =
        { $slot } 号有同一台。
        { -technician }
wrong_sku =
    这是 { $found }。
    本批次要 { $wanted }。
    .do = { -red-bin }
    .short =
        应为 { $wanted }。
        { -red-bin }
wrong_product = 已在产品 { $product } 中。
    .do = { -technician }
    .short =
        已在别的产品中。
        { -technician }
already_elsewhere = 已在产品 { $product } 中。
    .do = { -technician }
    .short =
        已在别的产品中。
        { -technician }
owner_other = 设备属于另一个账户。
    .do = { -rework }
    .short =
        属于别的账户。
        { -rework }
unknown_serial = 标签无法读取。
    .do = { -technician }
label_not_scanned = 没有扫描本机标签。
    .do = { -again }
strange_identity = 设备的一个号码异常。
    .do = { -technician }
    .short =
        一个号码异常。
        { -technician }
identity_missing = 设备缺少{ THING($missing) }。
    .do = { -technician }
quarantined = 云端暂扣此设备。
    .do = { -rework }
marked = 设备有开发标记。
    .do = { -rework }
bad_device_id = 云端不认识此设备。
    .do = { -technician }

## 坏设备

unit_rejected = 设备不合要求。
    .do = { -red-bin }
unit_refused = 设备拒绝指令。
    .do = { -red-bin }
protected = 设备已锁定。
    .do = { -technician }
wifi_join_failed = 设备连不上 Wi-Fi。
    .do = { -red-bin }
wifi_deaf = 设备收不到 Wi-Fi。
    .do = { -red-bin }
wifi_weak =
    Wi-Fi 信号弱。
    { $signal } dBm，应为 { $least }。
    .do = { -red-bin }
    .short =
        Wi-Fi 信号弱。
        { -red-bin }
listening_after_setup = 指示灯仍闪深蓝色。
    .do = { -technician }
write_failed = 写入失败。
    .do = { -red-bin }
update_not_applied = 更新未生效。
    .do = { -red-bin }
verify_failed = 回读校验失败。
    .do = { -red-bin }
sim_failed = SIM 卡不可用。
    .do = { -technician }
sim_odd =
    SIM { $iccid }
    无法识别。
    .do = { -technician }
    .short =
        SIM 无法识别。
        { -technician }
sim_off = SIM 卡已在云端停用。
    .do = { -supervisor }
    .short =
        SIM 卡已停用。
        { -supervisor }
sim_foreign = 该 SIM 属于其他账户。
    .do = { -supervisor }
    .short =
        SIM 属于他人。
        { -supervisor }
sim_released = 产品中没有该 SIM。
    .do = { -supervisor }
sim_external = 设备使用了另一张 SIM。
    .do = { -technician }
    .short =
        用了另一张 SIM。
        { -technician }
sim_missing = 没有找到 SIM 卡。
    .do = { -technician }
not_online =
    设备无法上线。
    检查天线和信号。
    .do = { -technician }
    .short =
        检查天线和信号。
        { -technician }
not_online_sim_active =
    设备不上线，SIM 卡已激活。
    换 SIM 卡没有用。
    .do = { -technician }
    .short =
        离线，SIM 正常。
        { -technician }
not_online_sim =
    设备不上线。
    SIM { $iccid }
    未激活。
    .do = { -technician }
    .short =
        SIM 卡未激活。
        { -technician }
not_claimed = 设备没有归属账户。
    .do = { -technician }
name_taken = 名称 { $name } 已被占用。
    .do = { -technician }
    .short =
        名称已被占用。
        { -technician }
final_check_failed = 终检未通过。
    .do = { -technician }

## 超出限值，以及无法判定的测试

value_outside =
    { $name } { FIGURE($found) }，
    应为 { FIGURE($low) } 至 { FIGURE($high) }。
    .do = { -red-bin }
    .short =
        数值超限。
        { -red-bin }
value_too_low =
    { $name } { FIGURE($found) }，
    至少应为 { FIGURE($low) }。
    .do = { -red-bin }
    .short =
        数值过低。
        { -red-bin }
value_too_high =
    { $name } { FIGURE($found) }，
    最多应为 { FIGURE($high) }。
    .do = { -red-bin }
    .short =
        数值过高。
        { -red-bin }
value_differs =
    { $name } { $found }，
    应为 { $wanted }。
    .do = { -red-bin }
    .short =
        数值不符。
        { -red-bin }
value_no_number =
    { $name } { $found }，
    应为数字。
    .do = { -red-bin }
    .short =
        不是数字。
        { -red-bin }
value_missing = 缺少 { $name }。
    .do = { -red-bin }
value_untold = 测试没有报告 { $name }。
    .do = { -supervisor }
    .short =
        数值未报告。
        { -supervisor }
answer_garbled = 测试应答无法识别。
    .do = { -technician }
unsteady = 每次测试的数值都不同。
    .do = { -technician }
    .short =
        数值不稳定。
        { -technician }
app_silent = 测试没有应答。
    .do = { -again }
instrument_failed =
    { $name }
    无法测量。
    .do = { -technician }
    .short =
        仪器无法测量。
        { -technician }
power_busy = 供电正被其他设备占用。
    .do = { -goes-on }
    .short =
        等待供电。
        { -goes-on }
instrument_busy = 正在测量别的槽位。
    .do = { -goes-on }

## 标签

scan_printed = 新标签：{ $unit }。
    .do = 贴到设备上后扫描。
    .short =
        新标签。
        贴到设备上后扫描。
label_in_doubt = 请找标签 { $unit }。
    .do = 找到就扫描；没有就重新打印。
    .short =
        请找标签。
        扫描或重新打印。
old_label = 这不是新标签。
    .do = 扫描新标签。
no_label_again = 没有可重印的标签。
printer_busy = { $printer } 正在打印别的标签。
    .do = { -goes-on }
    .short =
        打印机正忙。
        { -goes-on }
printer_away = 打印机 { $printer } 没有应答。
    .do = 检查线缆和电源。
    .short =
        打印机没有应答。
        检查线缆电源。
printer_paper = 打印机 { $printer } 没有标签纸了。
    .do = 换上新纸卷。
    .short =
        标签纸用完。
        换上新纸卷。
printer_ribbon = 打印机 { $printer } 没有碳带了。
    .do = 换上新碳带。
    .short =
        碳带用完。
        换上新碳带。
printer_open = 打印机 { $printer } 没关好。
    .do = 关上打印机。
    .short =
        打印机没关好。
        关上打印机。
printer_paused = 打印机 { $printer } 已暂停。
    .do = 按它的暂停键。
    .short =
        打印机已暂停。
        按它的暂停键。

## 固件

firmware_refused = 固件与设备不匹配。
    .do = { -supervisor }
dependency_missing = 设备需先有 { $module }。
    .do = { -supervisor }
downgrade_refused = 设备版本比批次新。
    .do = { -supervisor }

## 停止

unplugged_too_early = 拔得太早。
    .do = { -again }
stopped_by_operator = 已手动停止。
    .do = { -again }
swapped = 换成了另一台设备。
    .do = 请插回第一台。
part_walked = 只运行了部分步骤。
    .do = 重做才有结果。
station_closing = 工站已关闭。
    .do = { -again }

## 工站的问题，不是设备的问题

silent = 没有应答。
    .do = { -other-cable }
bad_contact = USB 接触不良。
    .do = { -other-cable }
protection_unknown = 设备可能已锁定。
    .do = { -technician }
unit_busy = 设备忙，无法应答。
    .do = { -again }
request_not_offered = 设备没有这项指令。
    .do = { -supervisor }
unit_stuck = 设备卡住了。
    .do = { -again }
console_garbled = 串口线有干扰。
    .do = { -other-cable }
port_in_use = 设备正被别处使用。
    .do = { -supervisor }
no_device_nodes = 本机看不到 USB 设备。
    .do = { -supervisor }
    .short =
        看不到 USB 设备。
        { -supervisor }
did_not_return = 设备没有恢复。
    .do = { -again }
no_permission = 没有 USB 权限。
    .do = { -technician }
bench_wifi_down = 工位 Wi-Fi 可能断了。
    .do = { -supervisor }
    .short =
        工位 Wi-Fi 断了？
        { -supervisor }
wifi_refused = Wi-Fi 拒绝设备。
    .do = { -supervisor }
update_missing = 更新没有到达。
    .do = { -again }
not_released = 没有发布的固件。
    .do = { -supervisor }
cloud_failed = 云端没有应答。
    .do = { -supervisor }
cloud_hold = 云端没有应答。
    .do = { -goes-on }
cloud_refused = 云端拒绝此设备。
    .do = { -technician }
hook_refused =
    工厂系统说：
    { $reason }。
    .do = { -technician }
    .short =
        工厂系统拒绝。
        { -technician }
hook_hold = { $hook } 没有应答。
    .do = { -goes-on }
cloud_limit = 云端繁忙。
    .do = { -goes-on }
scanner_busy = 扫描枪在别的槽位。
    .do = { -goes-on }
before_it = 前面还有 { $count } 个。
cloud_blocked = 网络阻断了云端。
    .do = { -supervisor }
cloud_mend = 云端拒绝本工站。
    .do = { -supervisor }
token_rejected = 云端令牌被拒绝。
    .do = { -supervisor }
journal_locked = 记录被锁定。
    .do = 请关闭占用它的程序。
    .short =
        记录被锁定。
        请解除占用。
disk_full = 磁盘已满。
    .do = { -supervisor }
disk_fails = 磁盘无法写入。
    .do = { -supervisor }
record_again = 记录恢复写入。
journal_failed = 记录无法写入。
    .do = { -supervisor }
check_station = 设备未判定。
    .do = { -technician }

## 需要动手

scan_label = 设备 { $unit }。
    .do = 请扫描它的标签。
    .short =
        { $unit }
        请扫描它的标签。
label_of_slot = 这是槽位 { $slot } 的标签。
    .do = { -scan-again }
    .short =
        { $slot } 号的标签。
        { -scan-again }
label_of_nameless = 可能是槽位 { $slot } 的标签。
    .do = 请拔出那台设备。
    .short =
        { $slot } 号的标签？
        请拔出那台设备。
label_of_passed =
    这台设备的标签
    { DAYTIME($at) } 已合格。
    .do = { -scan-again }
    .short =
        合格品的标签。
        { -scan-again }
label_of_failed =
    这台设备的标签
    { DAYTIME($at) } 不合格。
    .do = { -scan-again }
    .short =
        不合格品的标签。
        { -scan-again }
label_of_other = 这是另一台设备的标签。
    .do = { -scan-again }
    .short =
        别的设备的标签。
        { -scan-again }
label_differs =
    标签是 { $label }。
    设备不是。
    .do = { -scan-again }
    .short =
        标签不符。
        { -scan-again }
label_half_differs = 标签的后半段不符。
    .do = { -scan-again }
keyboard_layout =
    扫描枪键盘是 { $layout }。
    必须是英文键盘。
    .do = { -supervisor }
    .short =
        键盘布局不对。
        { -supervisor }
not_the_label = 这是{ THING($thing) }。
    .do = { -scan-label }
no_label = { $read } 不是标签。
    .do = { -scan-label }
scan_card = 设备 { $unit }。
    .do = 扫描它的 SIM 卡。
    .short =
        { $unit }
        扫描它的 SIM 卡。
card_differs =
    卡号为 { $iccid }。
    与设备内的 SIM 不同。
    .do = { -scan-again }
    .short =
        SIM 卡不符。
        { -scan-again }
not_the_card = 这不是 SIM 卡。
    .do = 扫描 SIM 卡。
dfu_by_hand =
    .do = 按住 { $button }，点 RESET，变黄松开。
listening_by_hand =
    .do = 按住 { $button }，变深蓝松开。
safe_by_hand =
    按住 { $button }，点按 RESET。
    .do = 亮紫色时松开。
    .short =
        { $button }+点按 RESET。
        亮紫色时松开。
reset_by_hand =
    .do = 按 RESET。
check_sim = 设备等待设置。
    .do = 检查 SIM 卡。

## 两次流程之间的槽位

arrived = 新设备
starting = 启动中
do_not_unplug =
    .do = 请勿拔。
would_stay_dark =
    .do = 请勿拔下，否则无法启动。
hands_default =
    .do = { -technician }

## 工站的提示行

unknown_port = 未知端口上有设备。
    .do = 请按它的槽位号。
no_free_slot = 未知端口上有设备。
    .do = 请插到槽位上。
slot_taken = 槽位 { $slot } 已有端口。
    .do = 请按别的号码。
scan_unreadable = 不是完整的标签或工牌。
    .do = { -scan-again }
    .short =
        无法识别扫描。
        { -scan-again }
scan_unclaimed = 没有槽位在等它。
unit_history =
    设备 { $unit }：
    { VERDICT($verdict) }，{ DAYTIME($at) }。
unit_begun =
    设备 { $unit }
    来过，未完成。
slot_off =
    { $why }
    自{ DAYTIME($at) }起。
choose_slot =
    .do = 请先按槽位号。
slot_closed = 槽位 { $slot } 已停用。
no_slot = 没有槽位 { $slot }。
slot_at_work = 槽位 { $slot } 正在工作。
    .do = 请等它的结果。
nothing_runs = 槽位 { $slot } 没有运行。
nothing_there = 槽位 { $slot } 没有设备。
    .do = 请插入设备。
cloud_back = 云端恢复应答。
cloud_gone = 云端没有应答。
no_sound = 本机无法发声。
batch_open = 批次 { $batch } 已开。
batch_not_open = 批次 { $batch } 未开。
    .do = { -supervisor }
lot_of_batch = 物料批号 { $lot } 用于批次 { $batch }。
lot_of_slot = 物料批号 { $lot } 装入槽位 { $slot }。
lot_out = 物料批号已取消（{ $lot }）。
lot_of_no_batch = 物料批号 { $lot } 没有对应批次。
    .do = 先扫批次，再扫物料批号。
    .short =
        没有对应批次。
        先扫批次。
lot_of_no_unit = 物料批号 { $lot }：此槽位没有设备。
    .do = 先插入设备，再扫描。
    .short =
        槽位没有设备。
        先插入设备。
batch_shut = 批次 { $batch } 已关。
batch_sealed =
    批次 { $batch } 已封存。
    密钥 { $key }。
    .short = 批次已封存。
batch_ended = 批次 { $batch } 已永久关闭。
    .do = 请输入别的名称。
    .short =
        批次已关闭。
        请换名称。
profile_unreleased = 配置 { $profile } 尚未发布。
    .do = 请输入别的配置。
    .short =
        配置尚未发布。
        请输入别的配置。
operator_in = 操作员 { $badge }。
operator_out = 没有操作员。
    .do = 请扫描工牌。
pull_unit = 云端拒绝设备 { $unit }。
    .do = 从待定盘取出。
    .short =
        云端拒绝设备。
        从待定盘取出。
owed_stuck =
    设备 { $unit }
    仍未完成。
    .do = { -supervisor }
    .short =
        设备仍未完成。
        { -supervisor }
walk_again =
    设备 { $unit }
    的 SIM 卡已激活。
    .do = 重新插入设备。
    .short =
        SIM 卡已激活。
        重新插入设备。
late_unknown = 设备 { $unit } 未判定。
    .do = { -technician }
    .short =
        设备未判定。
        { -technician }
late_pass = 设备 { $unit } 现已完成。
station_fault = 工站有故障。
    .do = { -supervisor }
seen_before = 来过：{ VERDICT($verdict) }，{ $at }，{ $station }。

## 询问

leave_writing = 正在写入设备。
    .do = 仍要退出吗？
stop_writing = 槽位 { $slot } 正在写入。
    .do = 仍要停止吗？
stop_running = 槽位 { $slot } 正在工作。
    .do = 要停止吗？
leave_running = 还有设备未完成。
    .do = 仍要退出吗？
close_batch = 批次 { $batch } 将不再接收设备。
    .do = 永久关闭吗？
    .short =
        批次将关闭。
        永久关闭吗？
close_busy_batch = { $count } 台仍在批次 { $batch } 中进行。
    .do = 永久关闭吗？
    .short =
        { $count } 台仍在进行。
        永久关闭吗？
type_label =
    .do = 请输入标签，再按 Enter。
type_reason =
    .do = 为什么停用？输入后按 Enter。
batch_wrong = 需要批次和配置。
    .do = 两项都要输入。
batch_name = 批次名称无效。
    .do = 只用字母、数字、横线。
    .short =
        批次名称无效。
        只用字母和数字。
target_wrong = 数量无效。
    .do = 请输入整数。

## 槽位每种状态一个词。大字用工厂通用的英文词，中文在其下方

face-empty =
    .do = 请插入。
face-off = 停用
    .short = 停用
    .means = 停用：不要使用
face-running =
    .means = 等待
face-waits = 等待中
    .short = 等待
    .means = 等待，会自动继续
face-hands = 请操作
    .short = 操作
    .means = 按提示操作
    .blocks = TURN
face-pass = 合格
    .short = 合格
    .do = { -unplug }
    .means = 拔下设备
    .blocks = PASS
face-pending = 待定
    .short = 待定
    .do = { -set-aside }
    .means = 放入待定盘，稍后完成
    .blocks = TRAY
face-fail = 不合格
    .short = 不合格
    .do = { -red-bin }
    .means = 放入红箱，或按提示处理
    .blocks = FAIL
face-aborted = 已停止
    .short = 停止
    .do = { -again }
    .means = 重新插入
    .blocks = STOP
face-error = 检查工站
    .short = 检查
    .do = { -technician }
    .means = 设备未判定：按提示检查
    .blocks = CHECK

## 步骤

step-identify = 识别
step-dfu = 准备
step-device_os = 系统固件
step-firmware = 应用固件
step-product_add = 加入产品
step-name = 命名
step-group = 分组
step-notes = 备注
step-development = 开发标记
step-firmware_lock = 锁定版本
step-wifi = Wi-Fi
step-wifi_clear = 清除 Wi-Fi
step-setup_done = 设置标志
step-sim = SIM 卡
step-online = 上线
step-release = 发布版本
step-claim = 认领
step-claim_code = 认领码
step-customer = 客户
step-app_test = 功能测试
step-tests = 测量
step-final_check = 终检
step-label = 标签

## 步骤的结果

outcome-already = 已具备
outcome-done = 完成
outcome-skipped = 跳过
outcome-deferred = 稍后
outcome-failed = 不合格
outcome-aborted = 停止
outcome-error = 故障

## 设备的指示灯

led-blinking-dark-blue = 深蓝色闪烁
    .colour = 深蓝色
    .means = 等待设置
led-fast-blinking-blue = 蓝色快闪
    .colour = 蓝色
    .means = 正在清除网络
led-breathing-blue = 蓝色呼吸
    .colour = 蓝色
    .means = 射频已开，未连接
led-blinking-yellow = 黄色闪烁
    .colour = 黄色
    .means = DFU 模式，可以写入
led-blinking-magenta = 紫色闪烁
    .colour = 紫色
    .means = 正在更新，请勿拔下
led-breathing-magenta = 紫色呼吸
    .colour = 紫色
    .means = 安全模式，没有应用
led-blinking-green = 绿色闪烁
    .colour = 绿色
    .means = 正在搜索网络
led-breathing-green = 绿色呼吸
    .colour = 绿色
    .means = 有网络，没有云端
led-blinking-cyan = 青色闪烁
    .colour = 青色
    .means = 正在连接云端
led-breathing-cyan = 青色呼吸
    .colour = 青色
    .means = 在线
led-breathing-white = 白色呼吸
    .colour = 白色
    .means = 射频已关
led-blinking-red = 红色闪烁
    .colour = 红色
    .means = 有故障
led-rainbow = 彩虹色
    .colour = 彩色
    .means = 您要找的设备
led-off = 不亮
    .colour = 不亮
    .means = 没有电，或已损坏

## 句中的物品

thing-order-code = 订货号
thing-sim-number = SIM 卡号
thing-no-label = 不是标签
thing-serial-number = 序列号
thing-mac-address = MAC 地址
thing-known-sku = 已知 SKU

## 日期和数字

figure-days = 周一 周二 周三 周四 周五 周六 周日
figure-seconds = { $figure } 秒
figure-minutes = { $minutes } 分
figure-hours = { $hours } 时 { $minutes } 分
figure-mark = .
figure-join = { "" }
figure-breaks = { "" }
figure-yields = FPY { $first }，最终良率 { $final }，重测 { $retests }

## 屏幕顶行

header-virtual = 虚拟
header-simulated = 虚拟，模拟时间
header-cloud = 云端 { $state }
header-owed = 待办 { $count }
header-operator = 操作员 { $badge }
header-no-batch = 没有已开的批次
header-batch = 批次 { $batch }
header-batches = { $count } 个批次
header-trial = { $product } 试产
header-yield = FPY { $share }

## 磁贴和下方的行

tile-left = 剩余 { $time }
tile-steps = 第 { $done } / { $all } 步
log-slot = 槽位 { $slot }
log-ended = { VERDICT($verdict) }，用时 { $took }
log-why = { $what }：{ $why }
log-scan = 扫描 { $read }：{ $what }

## 按键

cap-up = 上
cap-down = 下
key-slot = 槽位
key-details = 详情
key-retry = 重做
key-light = 亮灯
key-label = 输入标签
key-off = 停用
key-batch = 批次
key-find = 查找
key-help = 帮助
key-leave = 退出
key-panel = 面板
key-choose = 选择步骤
key-run = 运行
key-from = 从此处运行
key-mode = 模式
key-console = 控制台
key-pattern = 灯光
key-bytes = 字节
key-trace = 保存通信
key-report = 保存报告
key-print = 重印标签
key-copy = 复制
key-stop = 停止
key-back = 返回
key-none = { $cap } 在此无效

## 技术员页面

details-port = 端口 { $port }
details-batch = 批次 { $batch }
details-profile = 配置 { $profile }
details-attempt = 流程 { $attempt }
details-steps = 步骤
details-identities = 身份
details-firmware = 固件
details-wire = 通信
details-wire-lost = 没有保留：通信在一次尝试结束时才会保留，而工站在这次尝试中被停止。
details-wanted = 应为 { $version }
details-was = （原为 { $values }）
details-seen = 现象
details-means = 含义
details-try = 下一步
details-light = 看到的灯光
details-light-wanted = 灯光
details-device-id = Device ID
details-unit = 设备
details-verdict = 结果
details-module = 模块
details-column-wanted = 应为
details-column-hash = 散列
details-column-held = 实为
details-no-wire = 这里没有记录。用 --trace 启动工站，即可看到通信内容。
details-no-bytes = 只保存了这些文字。用 --trace 启动工站，即可看到字节。
details-no-unit = 槽位 { $slot } 没有设备：请插入。
details-unit-left = 该设备已离开槽位 { $slot }：请重新插入，或返回。
details-other-unit = 槽位 { $slot } 现在是另一台设备：返回后重新打开。
details-prints = 正在再次打印其标签。
details-no-steps = 还没有步骤：请先重做。
details-no-attempt = 这里还没有做过：没有可报告的内容。
details-at-work = 槽位 { $slot } 正在工作：等待结果，或停止。
details-nothing-runs = 槽位 { $slot } 没有运行。
details-runs = 正在单独运行：{ $step }。
details-runs-from = 正在运行：{ $step }及其后所有步骤。
details-enters = 正在进入模式：{ $mode }。
details-choose-mode = 进入哪种模式？
details-choose-light = 灯光是什么样？
details-saving = 正在写入。
details-copied = 已复制：Device ID、灯光、结果和原因。
console-title = 槽位 { $slot } 的控制台
console-opening = 正在让设备进入配置模式。
console-keys = 单个字符是命令   [Enter] 发送   [Esc] 关闭
hand-work = 有人正在手动操作此设备：之后须重试。
console-opened = 控制台已打开。
console-ended-closed = 控制台已关闭。
console-ended-idle = 控制台已关闭：一刻钟内无人输入。
console-ended-left = 设备已离开槽位 { $slot }，控制台随之关闭。
console-ended-walk = 控制台已关闭：设备将重新检查。
console-ended-command = 控制台已关闭：设备收到了其他操作。
console-ended-stopping = 控制台已关闭：工位正在停止。
console-ended-busy = 槽位 { $slot } 正在工作：有结果前不能打开控制台。
console-ended-empty = 槽位 { $slot } 没有设备：请插入设备。
console-ended-failed = 无法打开控制台：{ $why }
console-skipped = 省略了 { $count } 行：输出太快
window-choose = [上] [下] 选择   [Enter] 确定   [Esc] 关闭
did-saved = 已保存：{ $what }
did-mode = 现在的模式：{ $what }
did-light-on = 灯光现在是彩虹色。
did-light-off = 灯光已恢复。
mode-dfu = DFU
mode-dfu-does = 等待写入，黄灯闪烁
mode-listening = 配置模式
mode-listening-does = 等待配置，深蓝灯闪烁
mode-safe = 安全模式
mode-safe-does = 不启动应用
mode-reset = 重启
mode-reset-does = 重新启动，也可退出 DFU

## 窗口和页面

window-slot = 槽位 { $slot }。
window-yes-no = [Y] 是   [N] 否
window-label = [Enter] 使用   [Esc] 关闭
page-batches = 批次
page-batches-keys = [上] [下] 选择  [N] 新建  [C] 关闭  [E] 导出  [O] 未完成  [W] 返工  [F] 查找  [Esc] 返回
page-is-open = 打开
page-closed = 关闭于 { $at }
page-of = { $count } / { $target }
page-pareto = 失败原因
page-yields = 每小时首次判定的设备
page-no-failures = 没有失败。
page-more-failures = 另有 { $count } 次
page-no-hours = 还没有判定设备。
page-final = 最终良率
page-retests = 重测
page-units = 设备数
page-no-unit = 无设备
page-no-unit-attempts = { $count } 次
page-by-hand = 手动操作
page-by-hand-units = { $count } 台，须重试
page-takt = 节拍
page-left = 剩余时间
page-expected = 已到
page-never-came = { $count } 台从未到达：
page-unfinished = 未完成
page-new = 新批次
page-profile = 配置
page-batch = 批次名称
page-target = 设备数量（可留空）
page-keys = [Enter] 打开   [Tab] 下一栏   [Esc] 返回
page-find = 查找设备
page-find-what = 任一号码或其末几位；批次、批号、判定、日期
page-find-keys = [上] [下] 选择   [Enter] 全部信息   [Esc] 返回
page-find-none = 没有这个号码的设备。
page-owed = 未完成的工作
page-owed-keys = [上] [下] 选择   [Enter] 全部信息   [R] 现在重试   [A] 全部重试   [Esc] 返回
page-owed-none = 没有未完成的工作。
page-owed-retried = 正在重试 { $unit } 的未完成工作。
page-owed-retried-all = 正在重试全部未完成工作。
page-its-turn = 等待轮到
page-rework = 返工设备
page-rework-keys = [上] [下] 选择   [Enter] 全部信息   [Esc] 返回
page-rework-none = 没有需要返工的设备。
page-life-keys = [上] [下] [PgUp] [PgDn] 滚动   [Esc] 返回
page-first-seen = 首次出现 { $at } { $zone }
page-owes = 未完成
page-attempts = { $count } 次尝试
page-export = 导出批次 { $batch }
page-folder = 文件夹
page-export-keys = [Enter] 导出   [Tab] 下一栏   [Esc] 返回
page-exported = { $rows } 行，保存在 { $path }
format-csv = 每台设备一行，电子表格安全
format-jsonl = 每台设备一个 JSON 对象，含步骤
format-xlsx = 工作簿：图表、设备、步骤、测量值
format-html = 可打印并签字的报告
format-pdf = 同一报告的 PDF，需要本机有 Chromium
format-steps = CSV，每个步骤的每次执行一行
format-junit = JUnit XML，每台设备一个测试集
format-openhtf = OpenHTF 测试记录，每次流程一条
format-devices = 合格设备的 Device ID
format-iccids = 合格设备的 SIM 卡号
format-passports = 已签名设备护照的 ZIP
page-reprint = 重新打印标签
page-lot = 批号 { $lot }
page-close = [Esc] 返回
help-signs = 标志
help-keys = 按键
help-lights = 设备指示灯
help-its-step = 步骤名
help-numbers = 槽位；紧接第二位数字：12

## 未完成的工作由谁解决

mender-network = 网络
mender-account = 账户
mender-product = 产品
mender-profile = 工艺工程师
mender-vendor = 供应商
mender-nobody = 无需处理：等待

## 无屏幕的工站

headless-station = 工站
headless-slots = { $count } 个槽位
headless-started = 工站 { $station }：{ $slots }；云端{ $cloud }；{ $watched }
headless-started-virtual = 工站 { $station }：{ $slots }，虚拟设备；云端{ $cloud }；{ $watched }
headless-started-paced = 工站 { $station }：{ $slots }，虚拟设备，{ $pace }；云端{ $cloud }；{ $watched }
headless-simulated = 模拟时间
headless-faster = 时间快 { $times } 倍
headless-cloud-unknown = 尚未询问
headless-cloud-up = 有应答
headless-cloud-down = 没有应答
headless-watches-all = 监视所有 USB 端口，等待设备
headless-watches-port = 监视 USB 端口 { $ports }，等待设备
headless-watches-ports = 监视 USB 端口 { $ports }，等待设备
headless-stopped = 已停止：{ $why }
headless-list = 清单 { $list }，产品 { $product }：{ $lines }
headless-batch = 批次 { $batch }：{ $title } 修订 { $revision }
headless-attempt = 流程 { $attempt }，{ $profile }
headless-no-profile = 没有配置
headless-seen = { $unit }，来过：{ VERDICT($verdict) }
headless-held = { $step } 等待中：{ $what }
headless-record = 记录
headless-resumed = { $step } 继续
headless-hands = { $face }：{ $what }
headless-scan = 扫描 { $read }：{ $what }
headless-taken = 已接受
headless-owed = 待办 { $action }，设备 { $unit }：{ $what }
headless-stuck = 待办 { $action }，设备 { $unit }，等待中：{ $what }
headless-revised = { $unit } 现为{ VERDICT($verdict) }
headless-cloud-answers = 云端有应答
headless-cloud-gone = 云端没有应答：{ $why }
headless-off = 停用：{ $why }
headless-on = 恢复使用
headless-stranger = 端口 { $port } 上有设备，该端口不属于任何槽位
headless-refused = 未执行：{ $why }
headless-fault = 工站故障：{ $why }
headless-note = 提示：{ $why }
headless-summary = { $units }，用时 { $seconds } 秒；闪存写入 { $flash }，云端写入 { $cloud }，传输 { $transfers }
headless-no-unit = 没有设备

## 演示故事的结尾

story-title = 每台设备的内容及其云端记录与配置文件对照：
story-modules = 模块列表一致：{ $count }
story-bytes = 闪存一致：{ $bytes } 字节
story-record = 云端记录一致：{ $count }
story-differs = 不一致，见下
story-sum = { $units } 台设备中 { $good } 台与其配置文件完全一致，共 { $bytes } 字节
