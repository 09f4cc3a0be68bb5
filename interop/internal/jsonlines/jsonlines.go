// Package jsonlines is how the peers talk to a test driver: one JSON object a line, flushed at once, on stdout;
// commands, where there are any, one JSON object a line on stdin.
package jsonlines

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
)

// maxCommandBytes bounds one command: the largest is a block in hex, 10 MiB of payload at most.
const maxCommandBytes = 32 << 20

// Writer writes objects to one stream. It is safe for concurrent use: lines never interleave.
type Writer struct {
	mu  sync.Mutex
	out io.Writer
}

// Stdout is the stream a driver reads.
func Stdout() *Writer { return &Writer{out: os.Stdout} }

// Emit writes one line. A stream nobody reads any more ends the program: a peer without a driver has no purpose.
func (w *Writer) Emit(object any) {
	line, err := json.Marshal(object)
	if err != nil {
		panic(fmt.Sprintf("unencodable line: %v", err))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.out.Write(append(line, '\n')); err != nil {
		os.Exit(1)
	}
}

// Commands calls handle for each line of in until the stream ends or handle answers false.
func Commands(in io.Reader, handle func(line []byte) bool) error {
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 0, 64<<10), maxCommandBytes)
	for scanner.Scan() {
		if len(scanner.Bytes()) == 0 {
			continue
		}
		if !handle(scanner.Bytes()) {
			return nil
		}
	}
	return scanner.Err()
}
