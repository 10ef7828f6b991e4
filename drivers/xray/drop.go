package xray

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/sidecar"
)

// Folders inside the drop folder.
const (
	doneFolder     = "done"     // stored files, when they are moved
	rejectedFolder = "rejected" // what is no image and no description
)

// errNotRegular is a FIFO, a link or a folder where a file should be.
var errNotRegular = errors.New("not a regular file")

func openFolder(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &driver.Hint{
			Err: fmt.Errorf("open drop folder: %w", err),
			Try: event.Text{
				VI: "Tạo thư mục " + dir + " và cho người dùng chạy dịch vụ quyền đọc, ghi; nếu là ổ mạng thì kiểm tra đã gắn (mount) chưa.",
				EN: "Create " + dir + " and let the service's user read and write it; if it is a share, check that it is mounted.",
			},
		}
	}
	return root, nil
}

// safeName says whether a name from the wire or a folder names a file directly
// in the drop folder and can be shown.
func safeName(name string) bool {
	if name == "" || len(name) > 128 || name[0] == '.' || strings.ContainsAny(name, "/\\") ||
		strings.HasSuffix(name, ".part") {
		return false
	}
	for _, c := range name {
		if c < ' ' || c == 0x7f || c == '\ufffd' {
			return false
		}
	}
	return true
}

// openRegular opens a file of the folder that is a regular file and stays the
// one that was looked at.
func openRegular(root *os.Root, name string) (*os.File, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, errNotRegular
	}
	// O_NONBLOCK: should it have become a FIFO meanwhile, opening must not hang.
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil || !os.SameFile(before, after) {
		_ = f.Close()
		return nil, errors.Join(errNotRegular, err)
	}
	return f, nil
}

// mediaType tells an image by its first bytes; the name is not trusted.
func mediaType(head []byte) string {
	for magic, name := range map[string]string{
		"\x89PNG\r\n\x1a\n": "image/png", "\xff\xd8\xff": "image/jpeg",
		"II*\x00": "image/tiff", "MM\x00*": "image/tiff", "II+\x00": "image/tiff", "MM\x00+": "image/tiff",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return name
		}
	}
	return "application/octet-stream"
}

// namedType is the type that the name's ending stands for; "" when it is none
// of an image.
func namedType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".png":
		return "image/png"
	case ".tif", ".tiff":
		return "image/tiff"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	}
	return ""
}

// isImageName says whether the name's ending is that of an image.
func isImageName(name string) bool { return namedType(name) != "" }

// isSidecarName says whether the name's ending is that of a description.
func isSidecarName(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".json", ".xml":
		return true
	}
	return false
}

// sidecarNames are the names under which an image's description may lie.
func sidecarNames(image string) []string {
	stem := strings.TrimSuffix(image, path.Ext(image))
	names := []string{stem + ".json", stem + ".xml", image + ".json", image + ".xml"}
	if base, other, _ := energy(stem); other != "" { // one description for both energies
		names = append(names, base+".json", base+".xml")
	}
	return names
}

var viewSuffix = regexp.MustCompile(`^(.+)_v([0-9]{1,4})$`)

// nameParts takes scan and view from a file name <scan>_v<view>.<ext>. Any
// other name is a scan of its own with view 0.
func nameParts(name string) (scan string, view int) {
	stem := strings.TrimSuffix(name, path.Ext(name))
	// of image.tif.json too
	if isImageName(stem) {
		stem = strings.TrimSuffix(stem, path.Ext(stem))
	}
	stem, _, _ = energy(stem)
	if m := viewSuffix.FindStringSubmatch(stem); m != nil {
		view, _ = strconv.Atoi(m[2])
		return m[1], view
	}
	return stem, 0
}

// findSidecar is the name of the image's description, or "".
func findSidecar(root *os.Root, image string) string {
	for _, name := range sidecarNames(image) {
		if info, err := root.Lstat(name); err == nil && info.Mode().IsRegular() && name != image {
			return name
		}
	}
	return ""
}

// size is the length of a regular file in the folder.
func size(root *os.Root, name string) (int64, error) {
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, errors.New("no such file in the drop folder")
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return 0, errNotRegular
	}
	return info.Size(), nil
}

// files are the names that a reading used up.
type files struct {
	image, low, sidecar string
}

func (f files) names() []string {
	var out []string
	for _, n := range []string{f.image, f.low, f.sidecar} {
		if n != "" {
			out = append(out, n)
		}
	}
	return out
}

// attach stores the files as evidence and puts them into the reading. What is
// wrong with them goes to its quality and note; the error is of the store.
func (c *collector) attach(ctx context.Context, r *event.Reading, f files) error {
	var side sidecar.Description
	if f.sidecar != "" {
		var err error
		if side, err = c.attachSidecar(ctx, r, f.sidecar); err != nil {
			return err
		}
	}
	if f.image == "" {
		return nil
	}
	file, err := openRegular(c.root, f.image)
	if err != nil {
		worsen(r, event.Bad, f.image+": "+err.Error())
		return nil
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 16)
	n, _ := file.ReadAt(head, 0)
	media := mediaType(head[:n])
	ref, err := c.env.Evidence.Put(ctx, file, c.config.Drop.Limit, media, "scan", f.image)
	if errors.Is(err, driver.ErrTooLarge) {
		worsen(r, event.Bad, fmt.Sprintf("%s: more than %d bytes, not stored", f.image, c.config.Drop.Limit))
		return nil
	}
	if err != nil {
		return storeError(f.image, err)
	}
	r.Scan.Image = &ref
	at := len(r.Frames)
	if r.Scan.Sidecar != nil { // in the order line, image, low energy, sidecar
		at--
	}
	r.Frames = slices.Insert(slices.Clone(r.Frames), at, ref.SHA256)
	if f.low != "" {
		if err := c.attachLow(ctx, r, f.low, at+1); err != nil {
			return err
		}
	}
	if media == "application/octet-stream" {
		worsen(r, event.Suspect, f.image+": neither PNG, TIFF nor JPEG")
	} else if media != namedType(f.image) {
		worsen(r, event.Suspect, f.image+": its content is "+media)
	}
	if side.SHA256 != "" && side.SHA256 != ref.SHA256 {
		worsen(r, event.Bad, f.image+": its SHA-256 is not the one in the description")
	}
	return nil
}

func (c *collector) attachSidecar(ctx context.Context, r *event.Reading, name string) (sidecar.Description, error) {
	file, err := openRegular(c.root, name)
	if err != nil {
		worsen(r, event.Suspect, name+": "+err.Error())
		return sidecar.Description{}, nil
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, sidecar.MaxBytes+1))
	if err != nil {
		worsen(r, event.Suspect, name+": "+err.Error())
		return sidecar.Description{}, nil
	}
	media := "application/json"
	if strings.EqualFold(path.Ext(name), ".xml") {
		media = "application/xml"
	}
	ref, err := c.env.Evidence.Put(ctx, bytes.NewReader(data), sidecar.MaxBytes, media, "sidecar", name)
	if errors.Is(err, driver.ErrTooLarge) {
		worsen(r, event.Suspect, name+": description is too long, not stored")
		return sidecar.Description{}, nil
	}
	if err != nil {
		return sidecar.Description{}, storeError(name, err)
	}
	r.Scan.Sidecar = &ref
	r.Frames = append(slices.Clip(r.Frames), ref.SHA256)
	side, err := sidecar.Parse(data)
	if err != nil {
		worsen(r, event.Suspect, name+": "+err.Error())
		return sidecar.Description{}, nil
	}
	r.Scan.KV, r.Scan.MA = side.KV, side.MA
	if !side.Time.IsZero() {
		r.DeviceTime = &side.Time
	}
	return side, nil
}

// attachLow stores the low energy of a pair. A pair is analysed without it when
// it cannot be had.
func (c *collector) attachLow(ctx context.Context, r *event.Reading, name string, at int) error {
	file, err := openRegular(c.root, name)
	if err != nil {
		worsen(r, event.Suspect, name+": "+err.Error())
		return nil
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 16)
	n, _ := file.ReadAt(head, 0)
	ref, err := c.env.Evidence.Put(ctx, file, c.config.Drop.Limit, mediaType(head[:n]), "scan", name)
	if errors.Is(err, driver.ErrTooLarge) {
		worsen(r, event.Suspect, fmt.Sprintf("%s: more than %d bytes, not stored", name, c.config.Drop.Limit))
		return nil
	}
	if err != nil {
		return storeError(name, err)
	}
	r.Scan.Low = &ref
	r.Frames = slices.Insert(r.Frames, at, ref.SHA256)
	return nil
}

func storeError(name string, err error) error {
	return fmt.Errorf("store %s: %w: %w", name, driver.ErrStore, err)
}

// worsen lowers a reading's quality and adds why.
func worsen(r *event.Reading, q event.Quality, note string) {
	if r.Quality != event.Bad {
		r.Quality = q
	}
	if r.Note != "" {
		r.Note += "; "
	}
	r.Note += note
}
