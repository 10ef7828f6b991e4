package lang

// controls are the sentences of control leases and commands:
// key = Vietnamese | English.
const controls = `
agency.GATE = Kỹ thuật viên tại cửa khẩu | Technician at the gate

right.control = điều khiển barie và đèn | control barriers and lights
right.takeover = giành quyền điều khiển (có lý do) | take control over (with a reason)
act.control = điều khiển thiết bị | commanded a device

control.title = Quyền điều khiển | Control
control.nobody = Không ai giữ quyền điều khiển | Nobody has control
control.yours = Cơ quan bạn giữ quyền | Your agency has control
control.until = đến | until
control.log = Nhật ký bàn giao quyền điều khiển | Hand-over log of control
control.log.why = Cả hai cơ quan đều thấy nhật ký này. | Both agencies see this log.
control.log.empty = Chưa có ai điều khiển thiết bị này. | Nobody has controlled this device yet.
control.sending = đang gửi… | being sent…
control.unanswered = cửa khẩu không trả lời; lệnh đã hết hiệu lực sau 10 giây | the gate did not answer; after 10 s the command is void
control.intest = Kỹ thuật viên chỉ điều khiển được thiết bị đang ở chế độ thử. | Technicians may command a device only while it is in test.
control.first = Nhận quyền điều khiển rồi mới ra lệnh được. | Take control before you give a command.
control.reason = Lý do giành quyền (cơ quan kia sẽ đọc) | Why you take it over (the other agency reads it)
control.reason.needed = Giành quyền điều khiển phải ghi lý do. | Taking control over needs a reason.
control.sure = Chắc chắn? | Are you sure?
control.sure.open = Nâng cần barie? | Raise the arm?
control.sure.close = Hạ cần barie? | Lower the arm?
control.sure.green = Bật đèn xanh? | Turn the light green?
control.sure.takeover = Giành quyền điều khiển? | Take control over?
control.confirm = Thực hiện | Do it
control.back = Không, quay lại | No, go back
control.keys = Enter: thực hiện · Esc: quay lại | Enter: do it · Esc: go back
control.by = Ai | Who
control.what = Việc | What
control.result = Kết quả | Result
control.holder = Giữ quyền sau đó | Control after it
control.forced = giành quyền | taken over

verb.take = Nhận quyền điều khiển | Take control
verb.renew = Giữ quyền tiếp | Keep control
verb.takeover = Giành quyền | Take over
verb.release = Trả quyền điều khiển | Release control
verb.open = Nâng cần | Raise arm
verb.close = Hạ cần | Lower arm
verb.stop = Dừng cần | Stop arm
verb.red = Đèn đỏ | Red light
verb.amber = Đèn vàng | Amber light
verb.green = Đèn xanh | Green light

keys.control = Điều khiển barie | Control of a barrier
keys.lease = Nhận, giữ tiếp hoặc giành quyền | Take, keep or take over

outcome.done = đã thực hiện | done
outcome.refused = TỪ CHỐI | REFUSED
outcome.lost = KHÔNG BIẾT đã thực hiện chưa | NOT KNOWN whether it was done
`
