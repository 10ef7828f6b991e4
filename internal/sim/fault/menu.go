package fault

import (
	"slices"
	"time"
)

// Kinds of device. A device is named as its kind, but for a lane's second one
// (camera2) and the barcode reader that speaks SSI.
const (
	RPM     = "rpm"     // radiation portal monitor
	XRay    = "xray"    // X-ray scanner, for cargo or baggage
	Camera  = "camera"  // plate camera
	Scale   = "scale"   // weighbridge
	MRZ     = "mrz"     // document reader
	Barcode = "barcode" // barcode reader that sends text
	SSI     = "ssi"     // barcode reader that speaks Zebra SSI
	Barrier = "barrier" // input/output board of arm, lights and loops
)

// Spec is one entry of the menu.
type Spec struct {
	Name    string        `json:"name"`
	Devices []string      `json:"devices"`          // kinds; the first is meant when none is named
	Window  time.Duration `json:"window,omitempty"` // default length; zero for an occasion
	EN      string        `json:"en"`
	VI      string        `json:"vi"`
}

// Occasion says whether the fault is used up by the next thing it can spoil.
func (s Spec) Occasion() bool { return s.Window == 0 }

const short = 10 * time.Second

// Menu is every fault that the simulated lane can play, by name.
func Menu() []Spec {
	all := slices.Concat(serialFaults(), answerFaults(), portalFaults(), laneFaults(), scaleFaults(), readerFaults(), barrierFaults(),
		scannerFaults(), imageFaults(), cameraFaults(), dataFaults())
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

func serialFaults() []Spec {
	on := []string{RPM, XRay, Scale, MRZ, Barcode, SSI, Barrier}
	lines := []string{RPM, XRay, Scale, MRZ, Barcode}
	return []Spec{
		{"noise", on, short, "noise bytes inside every second frame", "nhiễu lẫn vào cứ hai khung một khung"},
		{"split", on, short, "frames arrive in two halves", "khung đến làm hai nửa"},
		{"merge", []string{RPM, XRay, Scale, MRZ, Barcode}, short, "two frames arrive in one write", "hai khung đến trong một lần ghi"},
		{"no-terminator", lines, short, "every third frame lacks its end", "cứ ba khung thì một khung thiếu phần kết thúc"},
		{"torn", on, short, "every third frame breaks off half way", "cứ ba khung thì một khung đứt nửa chừng"},
		{"bad-value", []string{RPM, XRay}, short, "every second line has a field that cannot be", "cứ hai dòng thì một dòng có trường sai"},
		{"bad-checksum", []string{XRay, Scale, SSI, Barrier}, short, "every second frame has a wrong checksum", "cứ hai khung thì một khung sai checksum"},
		{"wrong-baud", on, short, "nothing but garbage, as with a wrong baud rate", "toàn ký tự rác như khi sai tốc độ baud"},
		{"parity", on, short, "bit 7 carries parity, as 7E1 read as 8N1", "bit 7 mang parity, như 7E1 đọc thành 8N1"},
		{"xoff", on, short, "XON/XOFF bytes mixed into the frames", "byte XON/XOFF lẫn vào khung"},
		{"repeat", lines, short, "every second frame comes twice", "cứ hai khung thì một khung đến hai lần"},
		{"silence", on, 15 * time.Second, "port open, device says nothing", "cổng mở nhưng thiết bị im lặng"},
		{"burst", lines, 5 * time.Second, "silence, then everything at once", "im lặng rồi dồn dập"},
		{"unplug", append(slices.Clone(on), Camera), short, "cable pulled: the port disappears, later comes back under its name", "rút cáp: cổng biến mất rồi trở lại đúng tên"},
	}
}

func answerFaults() []Spec {
	on := []string{XRay, Barrier}
	return []Spec{
		{"lost-ack", on, short, "answers to the host are lost", "mất trả lời cho máy chủ"},
		{"late-ack", on, short, "answers to the host come late", "trả lời máy chủ đến muộn"},
		{"wrong-ack", on, short, "answers belong to the request before", "trả lời thuộc về yêu cầu trước"},
		{"echo", []string{XRay, SSI, Barrier}, short, "half-duplex echo of what the host sends", "vọng lại những gì máy chủ gửi"},
		{"deaf", []string{SSI}, short, "acknowledgements do not reach the reader: it sends again", "đầu đọc không nhận được xác nhận nên gửi lại"},
	}
}

func scaleFaults() []Spec {
	on := []string{Scale}
	return []Spec{
		{"overload", on, short, "more than the scale may weigh", "quá tải trọng cân"},
		{"never-stable", on, 20 * time.Second, "the load never comes to rest", "tải không bao giờ đứng yên"},
		{"not-zeroed", on, short, "power-up without zero", "bật nguồn chưa về không"},
	}
}

func readerFaults() []Spec {
	on := []string{MRZ}
	return []Spec{
		{"mrz-ocr", on, 0, "the next document has a character misread in a date", "giấy tờ kế tiếp bị đọc nhầm một ký tự ngày"},
		{"document-expired", on, 0, "the next document has expired", "giấy tờ kế tiếp đã hết hạn"},
		{"document-check", on, 0, "the next document has a wrong check digit", "giấy tờ kế tiếp sai chữ số kiểm tra"},
		{"cccd-extra", on, 0, "the next document is a CCCD with extra fields", "giấy tờ kế tiếp là CCCD có trường thêm"},
	}
}

func barrierFaults() []Spec {
	on := []string{Barrier}
	return []Spec{
		{"limits", on, short, "both limit switches of the arm are on", "cả hai công tắc hành trình cùng tác động"},
		{"manual", on, short, "manual mode: somebody has taken over the arm", "chế độ tay: có người điều khiển cần"},
		{"obstacle", on, short, "something stays below the arm", "có vật nằm dưới cần"},
		{"stuck-relay", on, short, "the red lamp's relay does not switch on", "rơ-le đèn đỏ không đóng"},
		{"exception", on, short, "the board answers with device failure (04)", "bảng vào/ra trả lời lỗi thiết bị (04)"},
		{"watchdog", on, 0, "the board resets itself: all relays off but red", "bảng tự khởi động lại: mọi rơ-le tắt trừ đèn đỏ"},
	}
}

func dataFaults() []Spec {
	return []Spec{
		{"look-alike", []string{Camera}, 0, "the next lorry's plate is one look-alike character off the listed one", "biển số xe kế tiếp khác danh sách một ký tự dễ nhầm"},
		{"plate-foreign", []string{Camera}, 0, "the next lorry has a Chinese plate (where its font is installed)", "xe kế tiếp mang biển số Trung Quốc (nếu có phông chữ)"},
		{"container-ten", []string{Barcode}, 0, "the next container number has remainder 10, so check digit 0", "số container kế tiếp có số dư 10, chữ số kiểm tra 0"},
		{"container-check", []string{Barcode}, 0, "the next container number has a wrong check digit", "số container kế tiếp sai chữ số kiểm tra"},
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
		{"back-to-back", on, 0, "the next one enters straight after GX", "xe kế tiếp vào ngay sau GX"},
		{"tail-gate", on, 0, "the next one follows inside the same occupancy", "xe kế tiếp bám đuôi trong cùng một lượt"},
		{"reverse", on, 0, "the next one backs out, then comes again", "xe kế tiếp lùi ra rồi vào lại"},
		{"wrong-way", on, 0, "the next one comes through the lane against its direction", "lượt kế tiếp đi ngược chiều làn"},
	}
}

func scannerFaults() []Spec {
	on := []string{XRay}
	return []Spec{
		{"interlock", on, 0, "a door opens during the next scan: cut image, result 3", "cửa mở giữa lượt soi kế tiếp: ảnh bị cắt, kết quả 3"},
		{"door-open", on, short, "a door stands open between scans", "cửa mở ngoài lượt soi"},
		{"e-stop", []string{XRay, Barrier}, short, "emergency stop pressed", "nút dừng khẩn cấp bị nhấn"},
		{"warm-up", on, short, "tube warms up; lorries pass unscanned", "ống phát đang làm nóng; xe qua không được soi"},
		{"belt-jam", on, short, "conveyor fault F07", "lỗi băng tải F07"},
		{"file-missing", on, 0, "the next image is announced but not there", "ảnh kế tiếp được báo nhưng không có"},
		{"half-written", on, 0, "the next image is shorter than announced", "ảnh kế tiếp ngắn hơn kích thước đã báo"},
		{"sidecar-missing", on, 0, "the next image has no sidecar", "ảnh kế tiếp thiếu tệp mô tả"},
		{"digest-wrong", on, 0, "the next sidecar's SHA-256 is not the image's", "SHA-256 trong tệp mô tả kế tiếp sai"},
		{"image-fifo", on, 0, "a FIFO stands where the next image should be", "một FIFO ở chỗ của ảnh kế tiếp"},
		{"clock-jump", on, short, "the scanner's clock jumps ahead by an hour", "đồng hồ máy soi nhảy nhanh một giờ"},
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
		{"capture-missing", on, 0, "the next one is not photographed", "xe kế tiếp không được chụp"},
		{"duplicate", on, 0, "the next capture is published twice", "lượt chụp kế tiếp gửi hai lần"},
		{"out-of-order", on, 0, "the next capture's picture comes before its message", "ảnh kế tiếp đến trước thông báo"},
		{"image-large", on, 0, "the next picture is more than 1 MB", "ảnh kế tiếp lớn hơn 1 MB"},
		{"dirty-lens", on, 30 * time.Second, "the lens is dirty: pictures are soft", "ống kính bẩn: ảnh mờ"},
		{"clock-ahead", on, 30 * time.Second, "the camera's clock is 10 minutes ahead", "đồng hồ camera nhanh 10 phút"},
		{"clock-behind", on, 30 * time.Second, "the camera's clock is 10 minutes behind", "đồng hồ camera chậm 10 phút"},
		{"broker-restart", on, 2 * time.Second, "the broker goes and comes back: will, then state anew", "broker khởi động lại: di chúc rồi trạng thái mới"},
		{"broker-away", on, short, "the camera loses the broker without goodbye and queues", "camera mất kết nối broker và xếp hàng chờ"},
		{"will-while-working", on, 0, "the will says offline although the camera works", "di chúc báo offline dù camera vẫn chạy"},
	}
}
