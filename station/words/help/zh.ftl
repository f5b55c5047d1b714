# 流程以目录中某句话结束意味着什么，以及 `.try`：下一步先试什么。

## 曾通过，但不再有证明

why-by_hand = 上次流程之后有人手动操作过：使用了控制台，或让它进入了别的模式。当时已证明的内容可能已改变。
    .try = 请重试（R）：仍然正确的几秒即过，其余的重做。在此之前它不算通过。

## 设备不对

why-wrong_platform = USB 标识显示的平台与已开批次的不同。没有询问设备，也没有写入任何内容。
    .try = 把设备放回它自己的批次；或为该平台开一个批次，设备会自动继续。
why-no_unit = 工站端口上插着的 USB 设备不是 Particle 设备。
    .try = 取下它，或在工站配置的 ports.ignore 中列出该端口。
why-no_profile = 没有打开的批次适用于该平台。没有询问设备，也没有写入任何内容。
    .try = 为该平台开一个批次，设备会自动继续；或把它放回自己的批次。
why-no_batch = 本工站没有已开的批次。没有询问设备，也没有写入任何内容。
    .try = 开一个批次，设备会自动继续；或先把它取出。
why-wrong_label = 同一个有效标签扫了两次，而且不属于其他已知设备：标签和设备混淆了。
    .try = 按序列号找到该标签的设备，贴上正确的标签，然后重做。
why-wrong_card = 扫到的 SIM 卡与调制解调器中的 ICCID 不同。
    .try = 把卡上的号码与下方 ICCID 比较；换回卡后重做。
why-numbers_differ = 同一设备的两个来源给出了不同的值。
    .try = 查看下方哪些来源不同。重做一次；若仍不同，把设备单独放置。
why-record_differs = 云端对该 Device ID 的记录（序列号、ICCID 或平台）与设备所说不同。
    .try = 比较下方两个值；更换过模块或 SIM 可以解释。否则询问厂商。
why-twin = 两台设备报告同一个 Device ID。它应是唯一的：其中一台是复制品或存储损坏。
    .try = 把两台都单独放置，记下标签，分别在别的端口上识别。
why-wrong_sku = 设备的订货号不在配置允许的范围内。
    .try = 检查料盘：是订购的型号吗？如果是，把该 SKU 加入配置。
why-wrong_product = 设备属于另一个产品，配置不允许转移。
    .try = 用 “station rework remove” 移除，或按主管清单转移；然后重做。
why-already_elsewhere = 云端已把设备计入另一个产品。
    .try = 查清那是谁的产品。自己的：按返工清单转移；不是：单独放置。
why-owner_other = 另一个账户已认领该设备，这里无法认领。
    .try = 请其所有者解除认领，或在自己的产品中用 “station rework unclaim”；然后重做。
why-unknown_serial = 读到的序列号不符合任何序列号的格式。
    .try = 清洁标签后重扫；与设备报告的序列号比较。
why-label_not_scanned = 在配置规定的时间内没有扫描该设备自己的标签。
    .try = 重做并扫描这台设备的标签；检查扫描枪是否以回车结束。
why-strange_identity = 设备报告的某个标识格式不可能成立。存储或无线部分可能损坏。
    .try = 换端口重做一次。若值不变，把设备留作分析。
why-identity_missing = 设备没有报告其平台必须有的值。
    .try = 若是调制解调器或 MAC 的值，在配置模式下重做。若仍缺失，更换设备。
why-quarantined = 产品暂扣了该设备：导入之前它就声明了该产品。
    .try = 在控制台或用 “station rework approve” 批准；然后重做。
why-marked = 设备带有开发标记，会忽略已发布的固件（D8）。
    .try = 用 “station rework” 或在控制台去掉标记；然后重做。
why-bad_device_id = 云端不认识该 Device ID，不会收入任何产品。
    .try = 核对下方 Device ID；请厂商登记。

## 坏设备

why-unit_rejected = 设备不符合配置要求；上方原因说明是哪一部分。
    .try = 把原因与配置比较；重做一次，然后单独放置。
why-unit_refused = 设备拒绝了一条命令，再问仍然拒绝。
    .try = 重启设备（M）后重做。检查其 Device OS 是否支持上方命令。
why-protected = 设备保护已开启：没有密钥就不接受固件，只接受少量命令。
    .try = 如果配置本来就要求保护，它可能已完成。否则先用厂商工具解除保护。
why-wifi_join_failed = 这台设备无法加入网络，而工站的 Wi-Fi 对其他设备正常。
    .try = 检查天线和接头；靠近后重做。若再失败，其无线部分损坏。
why-wifi_deaf = 设备找不到任何网络，而本工站的其他设备可以。
    .try = 安装或更换天线，检查天线选择，然后重做。
why-wifi_weak = 设备处的信号低于配置的限值。
    .try = 装好天线，移开附近金属，然后重做（R）。若仍弱：与同一槽位合格的设备比较。
why-listening_after_setup = 配置并重启后设备仍在等待配置：标记丢失或凭据无效。
    .try = 重做（R）。若仍闪深蓝灯，其配置存储损坏。
why-write_failed = 引导程序在写入闪存时报告错误。
    .try = 换线，换不经集线器的端口，重做（R）。若同一地址再失败，闪存损坏。
why-update_not_applied = 文件已收到，但重启后设备仍运行旧版本。
    .try = 重做；若不变，检查模块的依赖以及引导程序是否够新。
why-verify_failed = 从闪存读回的内容与写入的不同。
    .try = 换线，重做（R）。若同一位置再不同，闪存损坏。
why-sim_failed = SIM 无法激活，或云端报告它有错误。
    .try = 在控制台查 ICCID：在别的账户还是已停用？然后重做（R）。
why-sim_odd = 云端不认识该 ICCID；可能是其他运营商的 SIM。
    .try = 与卡上号码比较。使用内置 SIM，或在配置中说明是外部 SIM。
why-sim_off = 云端显示 SIM 已关闭。
    .try = 在控制台打开，或查清谁为何关闭；然后重做（R）。
why-sim_foreign = SIM 属于另一个账户。
    .try = 请其所有者释放，在此导入后重做（R）。
why-sim_released = SIM 已被释放，不在任何产品中。
    .try = 用 “station sim import” 或在控制台重新导入；然后重做（R）。
why-sim_external = 调制解调器使用卡座中的 SIM，而不是内置 SIM。
    .try = 取出卡，重启设备（M），然后重做。
why-sim_missing = 调制解调器报告没有 SIM。
    .try = 装好卡；看触点是否弯曲。内置 SIM 则重启设备后重做。
why-not_online = 设备没有及时连上云端。Wi-Fi、SIM 和产品看起来都正常。
    .try = 看灯光（P）：绿色是没有网络，闪青色是密钥或防火墙。检查天线。
why-not_online_sim_active = SIM 已激活，但网络不让设备接入：调制解调器本身可能被禁（A12）。
    .try = 不要换 SIM。向厂商询问下方 IMEI；用合格设备检查信号。
why-not_online_sim = 设备无法上线，因为其 SIM 尚未激活。
    .try = 等待激活（最多一小时），然后重做（R）。
why-not_claimed = 认领之后，云端没有显示所有者，或显示了别人。
    .try = 重做（R）。若不变，检查工站使用谁的令牌：station whoami。
why-name_taken = 账户中另一台设备已用此名称。
    .try = 按名称找到那台设备并改名，或修改配置中的名称模板。
why-final_check_failed = 最后检查时，有一项不再符合配置。
    .try = 看上方哪一项不同，然后重做（R）：只重设那一项。是否有人在云端改动该设备？

## 数值

why-value_outside = 测得的值两次超出限值。
    .try = 用合格设备检查夹具和触点；然后重新测量：重做（R）。
why-value_too_low = 测得的值两次低于限值。
    .try = 用合格设备检查电源、夹具和触点；然后重新测量：重做（R）。
why-value_too_high = 测得的值两次高于限值。
    .try = 检查短路或错料；用合格设备检查夹具；然后重新测量：重做（R）。
why-value_differs = 设备的应用报告的值与配置要求不同。
    .try = 比较上方两个值；测试固件和版本对吗？
why-value_no_number = 应用给出文字，而配置要求数字。
    .try = 核对测试固件版本与配置。
why-value_missing = 应用的回答缺少配置要求的值。
    .try = 核对测试固件版本与配置。
why-value_untold = 测试程序根本不给出该值，因此无法判定任何设备。
    .try = 更正配置中的名称或程序；然后重做。
why-answer_garbled = 测试的回答格式不符。设备未判定。
    .try = 再运行一次该步骤（Enter），在通信中查看回答，更正测试程序。
why-unsteady = 同一测试一次在限值内，一次在外。设备未判定。
    .try = 检查夹具的触点和电源；然后重做（R）。
why-app_silent = 应用不回答测试。它可能没有运行，或不是测试固件。
    .try = 看灯光（P）；重启设备（M）后重做。应用对吗？
why-instrument_failed = 仪器没有测量。这与设备无关。
    .try = 检查其线缆、电源和程序；手动运行配置中的命令。

## 固件

why-firmware_refused = 工站拒绝写入该文件：不适合该设备，或已损坏。
    .try = 看上方哪项检查失败；用 “station firmware” 重新获取，或更正配置。
why-dependency_missing = 某个模块需要先有另一个模块，而配置没有提供。
    .try = 把所述模块加入配置，或先更新到中间版本。
why-downgrade_refused = 设备的 Device OS 比批次要求的新，配置不允许降级。
    .try = 提高配置中的版本，或有意允许降级。

## 停止

why-unplugged_too_early = 步骤进行时设备离开了端口。设备未判定。
    .try = 重新插入：会接着做。若无人拔下，换线或换端口。
why-stopped_by_operator = 有人停止了这次流程。设备未判定。
    .try = 重新插入，或重做（R）。
why-swapped = 等待该设备时，另一台设备来到端口。两台都未判定。
    .try = 重新插入第一台；另一台单独处理。
why-part_walked = 只运行了配置的一部分，这不能算合格。
    .try = 重做（R）以得出结果。
why-station_closing = 流程中工站被关闭。设备未判定。
    .try = 启动后重新插入：只做缺少的部分。

## 工站的问题，不是设备的问题

why-silent = 设备在总线上，但没有给出可用的回答：没有及时回答，或回答已损坏。设备未判定。
    .try = 重新插入；换线，换端口，不用集线器；重启（M）。处处无回答则固件卡住：按住其按钮，轻按 RESET，黄灯时松开，然后重做（R）。
why-bad_contact = 传输一再中断：线缆、插头或集线器。
    .try = 先换线，再换端口。用另一台设备在此槽位比较。
why-protection_unknown = 设备没有说明是否开启保护，因此没有写入。
    .try = 重启设备（M）后重做；若其 Device OS 太旧，先更新。
why-unit_busy = 设备一再推迟：请求位全部占用，或每次都报告错误。应用可能占着它。
    .try = 重启设备（M），然后重做（R）。若不变：进入安全模式（M），那里不运行应用，然后重做。
why-request_not_offered = 该设备的 Device OS 或其上的应用不支持步骤所需的请求。
    .try = 若是测试：设备上的测试固件对吗？否则在配置中提高 Device OS，或对此类设备省略该步骤。
why-unit_stuck = 引导程序停在错误状态。
    .try = 断电五秒（包括电池），手动进入 DFU，然后重做。
why-console_garbled = 串口输出不是任何命令的输出：接触不良，或应用也在输出。
    .try = 进入安全模式（M）后重做；然后换线或换端口。
why-port_in_use = 另一个程序占用了设备或其串口。
    .try = 关闭串口监视器和厂商工具；station doctor 会指出 ModemManager。
why-no_device_nodes = 总线上有设备，但本机没有其设备节点：多半是容器。
    .try = 把 /dev/bus/usb 交给容器，或在主机上运行工站。
why-did_not_return = 设备重启后没有及时回来。
    .try = 看灯光（P）：黄色是 DFU，不亮是电源或引导程序。按 RESET，或重新插入。
why-no_permission = 当前用户无权打开 USB 设备或串口。
    .try = 运行：sudo station udev install。然后重新插入设备。
why-bench_wifi_down = 设备无法加入，之后也没有别的设备加入：是网络还是设备，尚不清楚。
    .try = 用手机检查工站处的接入点；让一台以前加入过的设备再做一次；然后重做这台（R）。
why-wifi_refused = 网络拒绝了配置中的凭据。
    .try = 检查网络的密码和安全类型，更正后重做（R）。
why-update_missing = 空中更新没有及时到达。设备未判定。
    .try = 让设备保持通电和在线；检查固件是否发布到其分组；然后重做。
why-not_released = 产品没有为该设备发布固件，无从比较。
    .try = 在控制台发布一个版本，或在配置的 [release] 中指定。
why-cloud_failed = 云端多次没有正常回答。设备未判定。
    .try = 查看厂商状态页和本网络：station doctor。然后重做。
why-cloud_hold = 云端不可用，配置要求等待。
    .try = 检查本机网络：station doctor。会自动继续。
why-cloud_refused = 云端拒绝了该设备；其原话在上方。
    .try = 看上方回答，在控制台查该 Device ID；设备暂时单独放置。
why-cloud_limit = 云端要求减少请求。
    .try = 等一分钟后重做。多个工站共用账户时，降低 requests_per_s。
why-cloud_blocked = 本机与云端之间有东西代为回答：代理、门户或防火墙。
    .try = 在本机打开网页：出现登录页吗？向网络管理员询问出口。
why-cloud_mend = 云端拒绝的是工站的账户、产品或套餐，不是设备。
    .try = 看上方回答；用 “station whoami” 和 “station doctor” 检查后重做。
why-token_rejected = 工站的令牌已过期或被收回。
    .try = 运行：station login。然后重做。
why-journal_locked = 另一个程序占用了日志文件。
    .try = 关闭数据目录上的数据库查看器和备份程序；会自动继续。
why-disk_full = 日志所在磁盘已满。没有记录就不能合格。
    .try = 在数据目录的磁盘上腾出空间；会自动继续。
why-disk_fails = 磁盘无法写入：只读、被移除或损坏。
    .try = 检查磁盘及其挂载；趁可读时复制数据目录。
why-journal_failed = 日志无法写入，因此不能有合格。
    .try = 运行：station log verify。检查数据目录的权限和空间。
why-check_station = 工站无法判定设备；上方原因说明是什么阻碍了它。
    .try = 解决所述问题后重做。若像程序错误，请保存并发送此报告。

## 中断之后可能留下的情况

why-dfu_by_hand = 设备在写入中途消失，可能无法自行启动。
    .try = 按住其按钮，轻按 RESET，黄灯时松开；然后从头写入。
why-hands_default = 设备在写入引导程序时消失：可能需要调试器才能启动。
    .try = 再插一次；若仍不亮，用调试器经 SWD 恢复。

## 标签

why-printer_away = 标签打印机没有回答。设备本身没有变化，只是还没有标签。
    .try = 检查打印机的电源、线缆和配置中的地址；然后重做：只缺标签。
why-printer_open = 打印机报告打印头打开。
    .try = 关好直到卡住；然后重做：只缺标签。
why-printer_paper = 打印机报告标签用完。
    .try = 装入新卷并走一张标签；然后重做。
why-printer_ribbon = 打印机报告没有碳带。
    .try = 装入碳带；热敏标签则在打印机菜单中关闭碳带。
why-printer_paused = 打印机报告已暂停。
    .try = 按其暂停键；若再次暂停，看其显示屏上的原因。

## 工厂自己的系统

why-hook_refused = 工厂自己的系统回答：该设备不可生产。没有写入任何内容。
    .try = 看上方原因，在该系统中查找设备；在那里解决后重做。
why-hook_hold = 在配置等待的时间内，工厂自己的系统没有回答。
    .try = 检查该系统及其网络；手动访问该地址，然后重做。
