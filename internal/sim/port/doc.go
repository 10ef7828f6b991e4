// Package port is the device's end of a simulated serial line: a real
// pseudo-terminal behind a symbolic link, with the faults of a line.
//
// What counts as sent. A UART sends whether or not anybody listens, and what
// nobody has opened is lost. A pseudo-terminal would keep it and hand it, stale,
// to the next reader. So the port watches, by inotify, how many times other
// processes have the terminal open, and
//
//   - while nobody has it open, nothing is written: the frame is noted as
//     unheard ("not-open");
//   - when the last of them closes it (or dies), what it had not read is
//     flushed, as a tty driver does on the last close, and the exclusive mark
//     and the settings that it left are taken back. Those frames had been sent:
//     they are in the ledger and it is for the gate to admit the gap;
//   - when a reader has the port open but lags more than overrun bytes behind,
//     the frame is dropped, as a UART's full FIFO would: unheard ("overrun").
//     The simulator therefore never blocks on a reader.
//
// The ledger is kept from the bytes really written: they are cut at CR LF, and
// each piece is one frame with its true bytes, whatever a fault did to it. Half
// a line that never got its end is no frame. No more than MaxFrame bytes ever
// go out between two line ends.
package port
