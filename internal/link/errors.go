package link

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"go.bug.st/serial"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

// Kinds of failure of a line.
var (
	ErrConfig     = errors.New("exactly one of port and tcp must be set")
	ErrNoPort     = errors.New("no such port")
	ErrPermission = errors.New("permission denied")
	ErrBusy       = errors.New("port is in use by another program")
	ErrMode       = errors.New("port does not take these settings")
	ErrUnplugged  = errors.New("line was lost")
	ErrRefused    = errors.New("connection refused")
	ErrUnreached  = errors.New("device cannot be reached over the network")
	ErrClosed     = errors.New("line is closed")
)

// openError tells why a serial port could not be opened.
func openError(port string, err error) error {
	code := serial.PortErrorCode(-1)
	if pe, ok := errors.AsType[*serial.PortError](err); ok {
		code = pe.Code()
	}
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV),
		code == serial.PortNotFound:
		return noPort(port)
	case errors.Is(err, os.ErrPermission), code == serial.PermissionDenied:
		return noPermission(port)
	case errors.Is(err, syscall.EBUSY), code == serial.PortBusy:
		return hint(fmt.Errorf("open port %s: %w", port, ErrBusy),
			"Chương trình khác đang giữ cổng này. Chạy lệnh “fuser -v "+port+"” để xem chương trình nào.",
			"Another program holds the port. Run “fuser -v "+port+"” to see which.")
	default:
		return hint(fmt.Errorf("open port %s: %w: %w", port, ErrMode, err),
			"Kiểm tra tốc độ, số bit, chẵn lẻ, bit dừng, và xem đường dẫn có đúng là cổng nối tiếp không.",
			"Check baud, data_bits, parity and stop_bits, and that the path is a serial port.")
	}
}

func noPort(port string) error {
	ports := existingPorts()
	vi, en := "Máy không thấy cổng nối tiếp nào. Kiểm tra cáp USB và nguồn của bộ chuyển đổi.",
		"The machine sees no serial port at all. Check the adapter's USB cable and power."
	if len(ports) > 0 {
		list := strings.Join(ports, ", ")
		vi = "Các cổng hiện có: " + list + ". Kiểm tra cáp USB hoặc sửa mục port."
		en = "Ports that exist: " + list + ". Check the USB cable or correct port."
	}
	return hint(fmt.Errorf("open port %s: %w", port, ErrNoPort), vi, en)
}

func noPermission(port string) error {
	group := "dialout"
	if info, err := os.Stat(port); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			gid := strconv.FormatUint(uint64(st.Gid), 10)
			group = gid
			if g, err := user.LookupGroupId(gid); err == nil {
				group = g.Name
			}
		}
	}
	return hint(fmt.Errorf("open port %s: %w", port, ErrPermission),
		"Thêm người dùng chạy dịch vụ vào nhóm "+group+" (usermod -aG "+group+" gatehouse), rồi khởi động lại dịch vụ.",
		"Add the service's user to the group "+group+" (usermod -aG "+group+" gatehouse) and restart the service.")
}

// existingPorts lists ports without opening any: opening would toggle the
// modem lines of devices that are none of our business.
func existingPorts() []string {
	ports, _ := filepath.Glob("/dev/serial/by-id/*")
	if len(ports) > 0 {
		return ports
	}
	for _, pattern := range []string{"/dev/ttyUSB*", "/dev/ttyACM*", "/dev/ttyAMA*", "/dev/ttyS*"} {
		found, _ := filepath.Glob(pattern)
		ports = append(ports, found...)
	}
	return ports
}

func dialError(address string, err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return hint(fmt.Errorf("connect to %s: %w", address, ErrRefused),
			"Máy ở địa chỉ này có trả lời nhưng không mở cổng đó. Kiểm tra số cổng và cấu hình của bộ chuyển đổi serial-Ethernet.",
			"The host answers but does not listen there. Check the port number and the terminal server's settings.")
	case errors.As(err, &dns):
		return hint(fmt.Errorf("connect to %s: %w: %w", address, ErrUnreached, err),
			"Không phân giải được tên máy. Dùng địa chỉ IP hoặc kiểm tra DNS.",
			"The host name is not known. Use an IP address or check the name server.")
	default:
		return hint(fmt.Errorf("connect to %s: %w: %w", address, ErrUnreached, err),
			"Kiểm tra nguồn, cáp mạng và địa chỉ IP của thiết bị (ping).",
			"Check the device's power, network cable and IP address (ping it).")
	}
}

// lostError wraps the end of a line that had been open.
func lostError(op, name string, err error) error {
	return hint(fmt.Errorf("%s %s: %w: %w", op, name, ErrUnplugged, err),
		"Mất đường truyền tới thiết bị. Kiểm tra cáp, bộ chuyển đổi và nguồn thiết bị.",
		"The line to the device was lost. Check the cable, the adapter and the device's power.")
}

func hint(err error, vi, en string) error {
	return &driver.Hint{Err: err, Try: event.Text{VI: vi, EN: en}}
}
