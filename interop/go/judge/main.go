// Command judge reads cases as Go's libraries and op-node v1.19.6 read them. `tests/interop/differential` (C++) makes the cases and
// compares. A batch on stdin is a count (4 bytes, little-endian) and so many cases: format (1 byte), length (4), bytes. The answer of a
// batch on stdout is, for each case in order: verdict (1), length of the detail (4), detail. The detail is the digest (8 bytes) of what
// was read; with bit 7 of the format set it is text that explains the verdict.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
)

type verdict byte

const (
	refuse     verdict = 0
	accept     verdict = 1
	incomplete verdict = 2 // a stream that could go on
	ignore     verdict = 3 // a block that counts for nothing
)

const explain = 0x80

// reader reads one case; what it reads it writes to the digest. An error goes with refuse and incomplete.
type reader func(input []byte, read *digest) (verdict, error)

// The numbers are those of tests/interop/differential/formats.hpp.
var formats = map[byte]reader{
	0: snappyLength, 1: snappyBlock, 2: snappyFrames, 3: multiformatsVarint, 4: protobufVarint, 5: gossipFrames, 6: multistreamTokens,
	7: identifyStream, 8: gossipRPC, 9: olderMessage, 10: peerRecord, 11: payloadSSZ, 12: blockSignature, 13: messageID, 14: gossipBlock,
}

type question struct {
	format byte
	input  []byte
}

func readBatch(in io.Reader) ([]question, error) {
	var count uint32
	if err := binary.Read(in, binary.LittleEndian, &count); err != nil {
		return nil, err
	}
	batch := make([]question, count)
	for i := range batch {
		var head [5]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return nil, err
		}
		batch[i] = question{head[0], make([]byte, binary.LittleEndian.Uint32(head[1:]))}
		if _, err := io.ReadFull(in, batch[i].input); err != nil {
			return nil, err
		}
	}
	return batch, nil
}

func answer(q question) (out []byte) {
	var read digest
	read.reset()
	read.keep = q.format&explain != 0
	result, err := formats[q.format&^explain](q.input, &read)
	detail := read.detail()
	if read.keep {
		detail = []byte(fmt.Sprintf("error: %v; read: %x", err, read.kept))
	}
	out = append(out, byte(result))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(detail)))
	return append(out, detail...)
}

func answerAll(batch []question) [][]byte {
	answers := make([][]byte, len(batch))
	workers := runtime.GOMAXPROCS(0)
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for i := w; i < len(batch); i += workers {
				answers[i] = answer(batch[i])
			}
		})
	}
	running.Wait()
	return answers
}

func main() {
	// The next batch is read while one is judged, so that neither side waits for a full pipe.
	batches := make(chan []question, 2)
	go func() {
		defer close(batches)
		in := bufio.NewReaderSize(os.Stdin, 1<<20)
		for {
			batch, err := readBatch(in)
			if err == io.EOF {
				return
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "judge:", err)
				os.Exit(1)
			}
			batches <- batch
		}
	}()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for batch := range batches {
		for _, a := range answerAll(batch) {
			out.Write(a)
		}
		if err := out.Flush(); err != nil {
			fmt.Fprintln(os.Stderr, "judge:", err)
			os.Exit(1)
		}
	}
}
