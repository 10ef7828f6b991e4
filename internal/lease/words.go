package lease

import "gatehouse/internal/event"

// why says in words what a code means; empty for no code.
func why(code string) event.Text {
	switch code {
	case event.ControlNoLease:
		return event.Text{VI: "Chưa nhận quyền điều khiển thiết bị này. Hãy nhận quyền trước.", EN: "You do not hold this device's control. Take it first."}
	case event.ControlStale:
		return event.Text{
			VI: "Lệnh đến muộn hơn 10 giây nên không thực hiện nữa, hoặc đồng hồ của bàn điều khiển và của cửa khẩu lệch nhau.",
			EN: "The command came more than 10 s late and is not carried out, or the clocks of console and gate differ.",
		}
	case event.ControlNoReason:
		return event.Text{VI: "Giành quyền điều khiển phải ghi lý do.", EN: "Taking control over needs a reason."}
	case event.ControlNoDevice:
		return event.Text{VI: "Làn này không có thiết bị nhận lệnh nào tên như vậy.", EN: "The lane has no such device that takes commands."}
	case event.ControlNoVerb:
		return event.Text{VI: "Thiết bị không nhận lệnh này.", EN: "The device does not take this command."}
	case event.ControlOffline:
		return event.Text{VI: "Không liên lạc được với thiết bị; lệnh không được thực hiện.", EN: "The device cannot be reached; the command was not carried out."}
	case event.ControlFull:
		return event.Text{VI: "Quá nhiều lệnh đang chờ ở thiết bị này.", EN: "Too many commands wait at this device."}
	case event.ControlBoard:
		return event.Text{
			VI: "Bảng vào/ra không xác nhận; không biết lệnh đã thực hiện hay chưa. Hãy nhìn barie. Đèn chuyển đỏ.",
			EN: "The IO board did not confirm; nobody knows whether the command was carried out. Look at the barrier. The light goes red.",
		}
	case event.ControlRestart:
		return event.Text{
			VI: "Phần mềm của cửa khẩu khởi động lại; lệnh không được thực hiện lại và quyền điều khiển đã hết.",
			EN: "The gate's software was started anew; the command is not carried out again, and control is nobody's.",
		}
	case event.ControlExpired:
		return event.Text{VI: "Hết thời hạn giữ quyền điều khiển; đèn chuyển đỏ.", EN: "The time of control was over; the light was turned red."}
	case event.ControlStopped:
		return event.Text{VI: "Phần mềm của cửa khẩu đang dừng; đèn chuyển đỏ.", EN: "The gate's software is ending; the light is turned red."}
	}
	return event.Text{}
}

// heldBy says who holds a device's control.
func heldBy(who event.Agency) event.Text {
	switch who {
	case event.Customs:
		return event.Text{VI: "Hải quan đang giữ quyền điều khiển.", EN: "Customs holds control."}
	case event.BorderGuard:
		return event.Text{VI: "Biên phòng đang giữ quyền điều khiển.", EN: "The Border Guard holds control."}
	case event.AtGate:
		return event.Text{VI: "Kỹ thuật viên tại cửa khẩu đang giữ quyền điều khiển.", EN: "A technician at the gate holds control."}
	}
	return event.Text{VI: "Bên khác đang giữ quyền điều khiển.", EN: "Somebody else holds control."}
}

func redLater() event.Text {
	return event.Text{
		VI: "Không liên lạc được với thiết bị; đèn sẽ chuyển đỏ khi có lại đường truyền.",
		EN: "The device cannot be reached; its light goes red when the line is back.",
	}
}

func expiredOffline() event.Text {
	a, b := why(event.ControlExpired), redLater()
	return event.Text{VI: a.VI + " " + b.VI, EN: a.EN + " " + b.EN}
}
