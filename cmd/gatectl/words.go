package main

import (
	"fmt"
	"time"

	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/retention"
)

// words are what technicians read, in one language.
type words struct {
	gate, configuration, since, differs        string
	clock, clockGood, clockFree                string
	disk, free, reserve, journal               string
	vision, visionOff, noDevices, requiredNote string
	never, ago, day                            string
	reloaded, unchanged, refused, restart      string
	nobody, until, controlOf, noCommands       string
	outcomes                                   map[event.ControlOutcome]string
	deviceHead, agencyHead, ruleHead, stayHead []string
	roomOff, roomRule, goes, went, mayGo       string
	stays                                      map[string]string
	phases                                     map[control.Phase]string
	states                                     map[event.DeviceState]string
	agencies                                   map[event.Agency]string
	changes                                    map[control.Kind]string
	pick                                       func(event.Text) string
}

func english() words {
	return words{
		gate: "Gate", configuration: "Configuration", since: "since", differs: "the file has changed since; gatectl reload puts it in force",
		clock: "Clock", clockGood: "synchronised, %.1f ms off", clockFree: "NOT SYNCHRONISED",
		disk: "Disk", free: "free", reserve: "reserve", journal: "Journal",
		vision: "Vision", visionOff: "off", noDevices: "no devices", requiredNote: "* must have looked at every passage",
		never: "never", ago: "%s ago", day: "d",
		reloaded: "The configuration is in force.", unchanged: "Nothing that runs has changed.",
		refused:    "NOTHING WAS CHANGED: the configuration has mistakes.",
		restart:    "NOTHING WAS CHANGED: only a restart of the daemon (systemctl restart gatehouse) puts these in force:",
		deviceHead: []string{"LANE", "DEVICE", "DRIVER", "OWNER", "STATE", "SINCE", "LAST FRAME", "REASON"},
		agencyHead: []string{"AGENCY", "ALERTS TO SEND", "RECORDS TO SEND", "HANDED OVER", "STORED THERE", "LAST RECEIPT", "TROUBLE"},
		ruleHead:   []string{"RULE", "", "PIECES", "SIZE", "OLDEST", "NEWEST"},
		stayHead:   []string{"STAYS BECAUSE", "PIECES", "SIZE", "OLDEST", "NEWEST"},
		roomOff:    "nothing goes to make room", roomRule: "evidence goes to make room below %s, until %s are free",
		goes: "goes now", went: "has gone", mayGo: "may go for room",
		stays: map[string]string{
			retention.StaysHeld: "legal hold", retention.StaysAlert: "an alert waits for a verdict", retention.StaysUnreceived: "an agency lacks the record",
			retention.StaysUnfetched: "an agency lacks the picture", retention.StaysBusy: "the passage is not finished", retention.StaysYoung: "a rule keeps it longer",
			retention.StaysNoRule: "no rule lets it go", retention.StaysUnknown: "no record names it",
		},
		phases: map[control.Phase]string{control.Starting: "starting", control.Running: "running", control.Ending: "ending"},
		states: map[event.DeviceState]string{
			event.Up: "up", event.Degraded: "DEGRADED", event.Faulty: "FAULTY", event.Bypassed: "BYPASSED", event.InTest: "IN TEST", event.Down: "DOWN",
		},
		agencies: map[event.Agency]string{event.Customs: "Customs", event.BorderGuard: "Border Guard", event.AtGate: "technician at the gate"},
		nobody:   "nobody", until: "until", controlOf: "control", noCommands: "The device takes no commands.",
		outcomes: map[event.ControlOutcome]string{
			event.ControlDone: "done", event.ControlRefused: "REFUSED", event.ControlLost: "NOT KNOWN whether it was done",
		},
		changes: map[control.Kind]string{
			control.Added: "added", control.Removed: "removed", control.Restarted: "restarted with other settings", control.Adjusted: "adjusted",
		},
		pick: func(t event.Text) string { return t.EN },
	}
}

func vietnamese() words {
	return words{
		gate: "Cửa khẩu", configuration: "Cấu hình", since: "từ", differs: "tệp đã thay đổi; chạy gatectl reload để áp dụng",
		clock: "Đồng hồ", clockGood: "đã đồng bộ, lệch %.1f ms", clockFree: "CHƯA ĐỒNG BỘ",
		disk: "Ổ đĩa", free: "còn trống", reserve: "dự trữ", journal: "Nhật ký",
		vision: "Nhận dạng ảnh", visionOff: "tắt", noDevices: "không có thiết bị", requiredNote: "* phải quan sát mọi lượt qua",
		never: "chưa từng", ago: "%s trước", day: "ngày",
		reloaded: "Cấu hình mới đã có hiệu lực.", unchanged: "Không có gì đang chạy bị thay đổi.",
		refused:    "KHÔNG THAY ĐỔI GÌ: cấu hình có lỗi.",
		restart:    "KHÔNG THAY ĐỔI GÌ: phải khởi động lại dịch vụ (systemctl restart gatehouse) thì các mục này mới có hiệu lực:",
		deviceHead: []string{"LÀN", "THIẾT BỊ", "TRÌNH ĐIỀU KHIỂN", "CHỦ QUẢN", "TRẠNG THÁI", "TỪ", "KHUNG CUỐI", "LÝ DO"},
		agencyHead: []string{"LỰC LƯỢNG", "CẢNH BÁO CHỜ GỬI", "BẢN GHI CHỜ GỬI", "ĐÃ CHUYỂN", "ĐÃ LƯU", "BIÊN NHẬN CUỐI", "SỰ CỐ"},
		ruleHead:   []string{"QUY TẮC", "", "SỐ TỆP", "DUNG LƯỢNG", "CŨ NHẤT", "MỚI NHẤT"},
		stayHead:   []string{"GIỮ LẠI VÌ", "SỐ TỆP", "DUNG LƯỢNG", "CŨ NHẤT", "MỚI NHẤT"},
		roomOff:    "không xóa gì để lấy chỗ", roomRule: "xóa chứng cứ để lấy chỗ khi còn dưới %s, đến khi trống %s",
		goes: "sẽ xóa", went: "đã xóa", mayGo: "có thể xóa khi thiếu chỗ",
		stays: map[string]string{
			retention.StaysHeld: "lệnh lưu giữ", retention.StaysAlert: "cảnh báo chờ quyết định", retention.StaysUnreceived: "một lực lượng chưa nhận hồ sơ",
			retention.StaysUnfetched: "một lực lượng chưa có ảnh", retention.StaysBusy: "lượt qua chưa xong", retention.StaysYoung: "quy tắc còn giữ",
			retention.StaysNoRule: "không quy tắc nào cho xóa", retention.StaysUnknown: "không hồ sơ nào nêu tên",
		},
		phases: map[control.Phase]string{control.Starting: "đang khởi động", control.Running: "đang chạy", control.Ending: "đang dừng"},
		states: map[event.DeviceState]string{
			event.Up: "tốt", event.Degraded: "SUY GIẢM", event.Faulty: "HỎNG", event.Bypassed: "BỎ QUA", event.InTest: "ĐANG THỬ", event.Down: "MẤT TÍN HIỆU",
		},
		agencies: map[event.Agency]string{event.Customs: "Hải quan", event.BorderGuard: "Biên phòng", event.AtGate: "kỹ thuật viên tại cửa khẩu"},
		nobody:   "không ai", until: "đến", controlOf: "quyền điều khiển", noCommands: "Thiết bị này không nhận lệnh.",
		outcomes: map[event.ControlOutcome]string{
			event.ControlDone: "đã thực hiện", event.ControlRefused: "TỪ CHỐI", event.ControlLost: "KHÔNG BIẾT đã thực hiện hay chưa",
		},
		changes: map[control.Kind]string{
			control.Added: "đã thêm", control.Removed: "đã bỏ", control.Restarted: "khởi động lại với thiết lập khác", control.Adjusted: "đã điều chỉnh",
		},
		pick: func(t event.Text) string { return t.VI },
	}
}

// vietnam is the time that people at the gate live by.
func vietnam() *time.Location { return time.FixedZone("+07", 7*60*60) }

// at is a moment and how long ago it was.
func (w words) at(t, now time.Time) string {
	return t.In(vietnam()).Format("02/01/2006 15:04:05 -07") + " (" + w.span(now.Sub(t)) + ")"
}

// age is how long ago something was.
func (w words) age(t, now time.Time) string {
	if t.IsZero() {
		return w.never
	}
	return fmt.Sprintf(w.ago, w.span(now.Sub(t)))
}

// span is a length of time with the two units that matter.
func (w words) span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d %s", int(d.Hours())/24, w.day)
}
