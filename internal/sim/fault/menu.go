package fault

import (
	"slices"
	"time"
)

// Devices of the simulated lane.
const (
	RPM    = "rpm"
	XRay   = "xray"
	Camera = "camera"
)

// Spec is one entry of the menu.
type Spec struct {
	Name    string        `json:"name"`
	Devices []string      `json:"devices"`          // the first is meant when none is named
	Window  time.Duration `json:"window,omitempty"` // default length; zero for an occasion
	EN      string        `json:"en"`
	VI      string        `json:"vi"`
}

// Occasion says whether the fault is used up by the next thing it can spoil.
func (s Spec) Occasion() bool { return s.Window == 0 }

const short = 10 * time.Second

// Menu is every fault that the simulated lane can play, by name.
func Menu() []Spec {
	serial := []string{RPM, XRay}
	all := slices.Concat(serialFaults(serial), portalFaults(), laneFaults(), scannerFaults(), imageFaults(), cameraFaults())
	slices.SortFunc(all, func(a, b Spec) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// Find returns the menu's entry of that name.
func Find(name string) (Spec, bool) {
	menu := Menu()
	i := slices.IndexFunc(menu, func(s Spec) bool { return s.Name == name })
	if i < 0 {
		return Spec{}, false
	}
	return menu[i], true
}

func serialFaults(on []string) []Spec {
	return []Spec{
		{"noise", on, short, "noise bytes inside every second line", "nhiễu lẫn vào cứ hai dòng một dòng"},
		{"split", on, short, "lines arrive in two halves", "dòng đến làm hai nửa"},
		{"merge", on, short, "two lines arrive in one write", "hai dòng đến trong một lần ghi"},
		{"no-terminator", on, short, "every third line lacks its line end", "cứ ba dòng thì một dòng thiếu ký tự kết thúc"},
		{"torn", on, short, "every third line breaks off half way, with its line end", "cứ ba dòng thì một dòng đứt nửa chừng"},
		{"bad-value", on, short, "every second line has a field that cannot be", "cứ hai dòng thì một dòng có trường sai"},
		{"wrong-baud", on, short, "nothing but garbage, as with a wrong baud rate", "toàn ký tự rác như khi sai tốc độ baud"},
		{"parity", on, short, "bit 7 carries parity, as 7E1 read as 8N1", "bit 7 mang parity, như 7E1 đọc thành 8N1"},
		{"xoff", on, short, "XON/XOFF bytes mixed into the lines", "byte XON/XOFF lẫn vào dòng"},
		{"silence", on, 15 * time.Second, "port open, device says nothing", "cổng mở nhưng thiết bị im lặng"},
		{"burst", on, 5 * time.Second, "silence, then everything at once", "im lặng rồi dồn dập"},
		{"unplug", append(slices.Clone(on), Camera), short, "cable pulled: the port disappears, later comes back under its name", "rút cáp: cổng biến mất rồi trở lại đúng tên"},
	}
}

func portalFaults() []Spec {
	on := []string{RPM}
	return []Spec{
		{"dead-detector", on, 30 * time.Second, "one gamma detector counts nothing (GL)", "một đầu dò gamma không đếm (GL)"},
		{"high-background", on, 30 * time.Second, "background above its limit (GH, NH)", "phông vượt ngưỡng (GH, NH)"},
		{"tamper", on, short, "cabinet open (TT), then closed (TC)", "tủ bị mở (TT) rồi đóng (TC)"},
	}
}

func laneFaults() []Spec {
	on := []string{RPM}
	return []Spec{
		{"no-gx", on, 0, "the next occupancy ends without GX", "lượt kế tiếp kết thúc không có GX"},
		{"back-to-back", on, 0, "the next lorry enters straight after GX", "xe kế tiếp vào ngay sau GX"},
		{"tail-gate", on, 0, "the next lorry follows inside the same occupancy", "xe kế tiếp bám đuôi trong cùng một lượt"},
		{"reverse", on, 0, "the next lorry backs out, then comes again", "xe kế tiếp lùi ra rồi vào lại"},
	}
}

func scannerFaults() []Spec {
	on := []string{XRay}
	return []Spec{
		{"bad-checksum", on, short, "every second line has a wrong checksum", "cứ hai dòng thì một dòng sai checksum"},
		{"interlock", on, 0, "a door opens during the next scan: cut image, result 3", "cửa mở giữa lượt soi kế tiếp: ảnh bị cắt, kết quả 3"},
		{"door-open", on, short, "a door stands open between scans", "cửa mở ngoài lượt soi"},
		{"e-stop", on, short, "emergency stop pressed", "nút dừng khẩn cấp bị nhấn"},
		{"warm-up", on, short, "tube warms up; lorries pass unscanned", "ống phát đang làm nóng; xe qua không được soi"},
		{"belt-jam", on, short, "conveyor fault F07", "lỗi băng tải F07"},
		{"lost-ack", on, short, "answers to commands are lost", "mất trả lời lệnh"},
		{"late-ack", on, short, "answers to commands come late", "trả lời lệnh đến muộn"},
		{"wrong-ack", on, short, "answers carry the previous command's number", "trả lời mang số của lệnh trước"},
		{"echo", on, short, "half-duplex echo of the host's lines", "vọng lại dòng của máy chủ"},
		{"file-missing", on, 0, "the next image is announced but not there", "ảnh kế tiếp được báo nhưng không có"},
		{"half-written", on, 0, "the next image is shorter than announced", "ảnh kế tiếp ngắn hơn kích thước đã báo"},
		{"sidecar-missing", on, 0, "the next image has no sidecar", "ảnh kế tiếp thiếu tệp mô tả"},
		{"digest-wrong", on, 0, "the next sidecar's SHA-256 is not the image's", "SHA-256 trong tệp mô tả kế tiếp sai"},
		{"image-fifo", on, 0, "a FIFO stands where the next image should be", "một FIFO ở chỗ của ảnh kế tiếp"},
		{"image-late", on, 0, "the next image comes 20 s late", "ảnh kế tiếp đến muộn 20 giây"},
	}
}

func imageFaults() []Spec {
	on := []string{Camera, XRay}
	return []Spec{
		{"image-corrupt", on, 0, "the next image's bytes are damaged", "ảnh kế tiếp bị hỏng"},
		{"image-empty", on, 0, "the next image has no bytes", "ảnh kế tiếp rỗng"},
		{"image-truncated", on, 0, "the next image's file breaks off", "tệp ảnh kế tiếp bị cụt"},
		{"image-huge", on, 0, "the next image's header claims 200 megapixels", "phần đầu ảnh kế tiếp khai 200 megapixel"},
		{"image-wrong-type", on, 0, "the next image is something else than it says", "ảnh kế tiếp sai định dạng đã khai"},
	}
}

func cameraFaults() []Spec {
	on := []string{Camera}
	return []Spec{
		{"image-missing", on, 0, "the next capture comes without its picture", "lượt chụp kế tiếp không có ảnh"},
		{"capture-missing", on, 0, "the next lorry is not photographed", "xe kế tiếp không được chụp"},
		{"duplicate", on, 0, "the next capture is published twice", "lượt chụp kế tiếp gửi hai lần"},
		{"out-of-order", on, 0, "the next capture's picture comes before its message", "ảnh kế tiếp đến trước thông báo"},
		{"image-large", on, 0, "the next picture is more than 1 MB", "ảnh kế tiếp lớn hơn 1 MB"},
		{"dirty-lens", on, 30 * time.Second, "the lens is dirty: pictures are soft", "ống kính bẩn: ảnh mờ"},
		{"clock-ahead", on, 30 * time.Second, "the camera's clock is 10 minutes ahead", "đồng hồ camera nhanh 10 phút"},
		{"clock-behind", on, 30 * time.Second, "the camera's clock is 10 minutes behind", "đồng hồ camera chậm 10 phút"},
		{"broker-away", on, short, "the camera loses the broker without goodbye and queues", "camera mất kết nối broker và xếp hàng chờ"},
		{"will-while-working", on, 0, "the will says offline although the camera works", "di chúc báo offline dù camera vẫn chạy"},
	}
}
