package passage

import (
	"time"

	"gatehouse/internal/event"
)

// localTime is the clock of people at the gate, UTC+7; stored times stay UTC.
func localTime(t time.Time) string {
	return t.In(time.FixedZone("+07", 7*60*60)).Format("15:04:05")
}

// named is a device as people at the gate speak of it: what it is, and its id.
func (l *Lane) named(device string) event.Text {
	if device == visionName {
		return event.Text{VI: "phân tích ảnh", EN: "image analysis"}
	}
	d, ok := l.device(device)
	switch {
	case !ok:
		return event.Text{VI: device, EN: device}
	case d.Radiation:
		return event.Text{VI: "cổng đo phóng xạ " + device, EN: "radiation portal " + device}
	case d.Role == RolePresence:
		return event.Text{VI: "cảm biến hiện diện " + device, EN: "presence sensor " + device}
	case d.Role == RoleCamera:
		return event.Text{VI: "máy ảnh " + device, EN: "camera " + device}
	case d.Role == RoleScanner:
		return event.Text{VI: "máy soi " + device, EN: "X-ray scanner " + device}
	default:
		return event.Text{VI: "thiết bị " + device, EN: "device " + device}
	}
}

func reasonState(c condition) event.Text {
	at := localTime(c.Since)
	switch c.State {
	case event.Down:
		if c.Since.IsZero() {
			return event.Text{VI: "chưa có tín hiệu", EN: "no signal yet"}
		}
		if c.Reason == irregularRestart {
			return event.Text{VI: "hệ thống khởi động lại, mất tín hiệu từ " + at, EN: "the system restarted, no signal since " + at}
		}
		return event.Text{VI: "mất tín hiệu từ " + at, EN: "no signal since " + at}
	case event.Faulty:
		return event.Text{VI: "thiết bị báo lỗi từ " + at, EN: "the device reports a fault since " + at}
	case event.Bypassed:
		return event.Text{VI: "thiết bị bị bỏ qua từ " + at, EN: "bypassed since " + at}
	case event.InTest:
		return event.Text{VI: "thiết bị đang kiểm thử từ " + at, EN: "in test since " + at}
	default:
		return reasonNothing()
	}
}

func reasonNothing() event.Text {
	return event.Text{VI: "không có số liệu", EN: "nothing received"}
}

func reasonNoSample() event.Text {
	return event.Text{VI: "không có mẫu đo gamma", EN: "no gamma sample received"}
}

func reasonNoPhoto() event.Text {
	return event.Text{VI: "không có ảnh chụp", EN: "no photo received"}
}

func reasonNoScan() event.Text {
	return event.Text{VI: "không có đủ ảnh soi", EN: "no complete scan received"}
}

func reasonCut() event.Text {
	return event.Text{VI: "lượt soi bị khóa an toàn ngắt giữa chừng", EN: "an interlock cut the scan off"}
}

func reasonUnreadable() event.Text {
	return event.Text{VI: "ảnh không đọc được", EN: "the image could not be read"}
}

func reasonVision() event.Text {
	return event.Text{VI: "phân tích ảnh chưa chạy", EN: "the images have not been analysed"}
}

// remedy is what the person at a device should try next.
func remedy(s event.DeviceState) event.Text {
	switch s {
	case event.Down:
		return event.Text{
			VI: "Kiểm tra nguồn điện và dây nối của thiết bị, rồi xem trang thiết bị.",
			EN: "Check the device's power and cable, then look at the device page.",
		}
	case event.Faulty, event.Degraded:
		return event.Text{
			VI: "Xem mã lỗi trên thiết bị và trong trang thiết bị, xử lý theo sổ tay của hãng.",
			EN: "See the code on the device and on the device page, and follow the maker's manual.",
		}
	case event.Bypassed, event.InTest:
		return event.Text{
			VI: "Đưa thiết bị về chế độ làm việc khi kiểm thử xong.",
			EN: "Put the device back to work when the test is over.",
		}
	default:
		return event.Text{}
	}
}
