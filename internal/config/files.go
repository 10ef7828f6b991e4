package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// Files checks that the files which the configuration names are there, as the
// daemon would see them from its working directory, and that secrets are not
// open to others. Serial ports are not looked for: a device may be unplugged.
func (f *File) Files(dir string) Problems {
	c := &fileCheck{file: f, dir: dir}
	g := f.Gate
	for i, a := range g.Agencies {
		at := fmt.Sprintf("agencies[%d]", i)
		try := "copy it from the agency's console, where gatehouse-console init has made it"
		c.regular(at+".key", a.Key, try)
		c.regular(at+".hub_user", a.HubUser, try)
	}
	c.regular("hub.ca", g.Hub.CA, "")
	if e := g.Hub.Embedded; e != nil {
		c.regular("hub.embedded.certificate", e.Certificate, "")
		c.secret("hub.embedded.key", e.Key, true)
	}
	if g.Field != nil {
		for i, u := range g.Field.Users {
			c.secret(fmt.Sprintf("field_mqtt.users[%d].password_file", i), u.PasswordFile, false)
		}
	}
	c.regular("policy", g.Policy, "leave it empty for the built-in table")
	c.folder("expected.folder", g.Expected.Folder)
	if len(g.Vision.Command) > 0 {
		c.program("vision.command", g.Vision.Command[0])
	}
	f.eachDevice(func(at string, _ Lane, _ Device) {
		for _, name := range []string{"ca_file", "password_file", "drop.folder"} {
			s, path := f.setting(at, name), at+".settings."+name
			if s.at != nil {
				f.places[path] = s.at
			}
			switch name {
			case "ca_file":
				c.regular(path, s.text, "")
			case "password_file":
				c.secret(path, s.text, true)
			default:
				c.folder(path, s.text)
			}
		}
	})
	return c.problems.sorted()
}

type fileCheck struct {
	file     *File
	dir      string
	problems Problems
}

func (c *fileCheck) tell(path, try, format string, args ...any) {
	c.problems = append(c.problems, c.file.At(path, try, format, args...))
}

// stat looks at a file that the field names, and tells when it is not there.
func (c *fileCheck) stat(path, name, try string, must bool) fs.FileInfo {
	if name == "" {
		return nil
	}
	file := name
	if !filepath.IsAbs(name) {
		file = filepath.Join(c.dir, name)
	}
	info, err := os.Stat(file)
	switch {
	case err == nil:
		return info
	case !errors.Is(err, fs.ErrNotExist):
		c.tell(path, try, "%s cannot be looked at: %s", name, err)
	case must:
		c.tell(path, try, "%s is not there", name)
	}
	return nil
}

func (c *fileCheck) regular(path, name, try string) {
	if info := c.stat(path, name, try, true); info != nil && !info.Mode().IsRegular() {
		c.tell(path, "", "%s is not a file", name)
	}
}

func (c *fileCheck) folder(path, name string) {
	if info := c.stat(path, name, "mkdir "+name, true); info != nil && !info.IsDir() {
		c.tell(path, "", "%s is not a folder", name)
	}
}

// secret also wants that nobody but its owner can read the file.
func (c *fileCheck) secret(path, name string, must bool) {
	info := c.stat(path, name, "", must)
	switch {
	case info == nil:
	case !info.Mode().IsRegular():
		c.tell(path, "", "%s is not a file", name)
	case info.Mode().Perm()&0o077 != 0:
		c.tell(path, "chmod 600 "+name, "others can read the secret in %s, its mode is %04o", name, info.Mode().Perm())
	}
}

// program looks for a command as the daemon would.
func (c *fileCheck) program(path, name string) {
	if filepath.Base(name) != name && !filepath.IsAbs(name) {
		name = filepath.Join(c.dir, name)
	}
	if _, err := exec.LookPath(name); err != nil {
		c.tell(path, "leave command out to run without vision", "the program %s is not there", name)
	}
}
