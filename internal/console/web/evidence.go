package web

import (
	"errors"
	"fmt"
	"image"
	"net/http"
	"os"
	"strconv"
	"strings"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// evidence serves a piece of evidence. Without a form it is a picture that
// browsers can show; "deep" is the same with 16 bits, "heat" shows over it how suspect each part is, "original" is the file as the gate has sent it, "thumb" a
// small picture, "crop" the part given by ?box=x,y,w,h.
func (s *Server) evidence(w http.ResponseWriter, r *http.Request, p Page) {
	digest, form := r.PathValue("digest"), r.PathValue("form")
	known, err := s.opt.Store.Evidence(r.Context(), digest)
	path, have := s.opt.Store.EvidencePath(digest)
	if errors.Is(err, store.ErrNotFound) || err == nil && !have {
		http.Error(w, "not here", http.StatusNotFound)
		return
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	want := picture{form: form}
	if form != "original" {
		if want.trial, err = s.shownScan(r.Context(), p, digest); err != nil {
			s.fail(w, r, p, err)
			return
		}
	}
	if form == "heat" {
		want.heat, err = s.heatOf(r.Context(), digest)
		if errors.Is(err, store.ErrNotFound) {
			http.Error(w, "this evidence has no heat map", http.StatusNotFound)
			return
		}
		if err != nil {
			s.fail(w, r, p, err)
			return
		}
	}
	kept := s.unchanged(w, r, want)
	if kept || form == "original" {
		if err := s.looked(r, p, digest, form, want.trial); err != nil {
			s.fail(w, r, p, err)
			return
		}
	}
	if kept {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	switch form {
	case "original":
		s.original(w, r, p, path, known.Media, digest)
		return
	case "", "thumb", "deep", "heat":
	case "crop":
		if want.box, err = parseBox(r.URL.Query().Get("box")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		http.Error(w, "not here", http.StatusNotFound)
		return
	}
	pic, shown, err := s.scanPicture(r.Context(), path, digest, want)
	if err := s.looked(r, p, digest, form, shown); err != nil {
		s.fail(w, r, p, err)
		return
	}
	if err != nil {
		w.Header().Set("Cache-Control", "no-store")
		s.opt.Log.Info("evidence cannot be shown as a picture", "evidence", digest, "err", err)
		http.Error(w, "this evidence cannot be shown as a picture; open the original", http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", pic.media)
	w.Header().Set("Content-Length", strconv.Itoa(len(pic.data)))
	_, _ = w.Write(pic.data) // the browser may have gone
}

// unchanged tells whether the browser has the form of a picture already. Small
// ones, of which lists are full, are kept for a day. A whole picture is asked
// for each time, so that each showing is in the audit, and so is a scan of which
// the user may get to see something else next time.
func (s *Server) unchanged(w http.ResponseWriter, r *http.Request, want picture) bool {
	if form := want.form; form != "" && form != "deep" && form != "heat" && want.trial == nil {
		w.Header().Set("Cache-Control", "private, max-age=86400")
		return false
	}
	// The content of a digest never changes; the conversion may, with the program.
	tag := strconv.Quote(event.Digest([]byte(s.opt.Live.boot + want.key()))[:20])
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", tag)
	return r.Header.Get("If-None-Match") == tag
}

// original serves the stored bytes for download; no browser may run them.
func (s *Server) original(w http.ResponseWriter, r *http.Request, p Page, path, media, digest string) {
	f, err := os.Open(path)
	if err != nil {
		s.fail(w, r, p, fmt.Errorf("open evidence: %w", err))
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		s.fail(w, r, p, fmt.Errorf("open evidence: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s%s"`, digest, extension(media)))
	http.ServeContent(w, r, "", st.ModTime(), f)
}

func extension(media string) string {
	switch media {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/tiff":
		return ".tiff"
	}
	return ".bin"
}

// parseBox reads x,y,w,h.
func parseBox(text string) (image.Rectangle, error) {
	var v [4]int
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		return image.Rectangle{}, errors.New("box: want x,y,w,h")
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || n > 1<<20 {
			return image.Rectangle{}, errors.New("box: want x,y,w,h in pixels")
		}
		v[i] = n
	}
	return image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3]), nil
}

// boxed is a box of a record as four numbers; ok is false when it is none.
func boxed(box []int) (x, y, w, h int, ok bool) {
	if len(box) != 4 || box[0] < 0 || box[1] < 0 || box[2] <= 0 || box[3] <= 0 {
		return 0, 0, 0, 0, false
	}
	return box[0], box[1], box[2], box[3], true
}

// cropURL is where the crop of a plate is shown, with a margin around it.
func cropURL(digest string, box []int) string {
	x, y, w, h, ok := boxed(box)
	if !ok {
		return ""
	}
	m := h / 6
	return fmt.Sprintf("/evidence/%s/crop?box=%d,%d,%d,%d", digest, max(0, x-m), max(0, y-m), w+2*m, h+2*m)
}
