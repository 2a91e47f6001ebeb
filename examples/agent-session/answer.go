package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"strconv"
	"strings"
)

// answer is what came back for a call.
type answer struct {
	code     string // "ok", or why not
	by       string // who said no: policy or server
	words    string // what an agent reads
	message  string // of a refusal
	approval string // that a person has to decide
	data     any    // the structured form
	picture  string // size of the PNG that came inline
}

// at walks into the structured answer: names of members and numbers of elements, divided
// by dots; length is that of a list.
func (got *answer) at(path string) any {
	v := got.data
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			switch {
			case step == "length":
				v = len(in)
			case err == nil && i >= 0 && i < len(in):
				v = in[i]
			default:
				return nil
			}
		default:
			return nil
		}
	}
	return v
}

// text is a value as it is printed: "" where there is none.
func (got *answer) text(path string) string {
	switch v := got.at(path).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		b, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(b)
	}
}

// number is a value as a number; Graph writes amounts as texts.
func (got *answer) number(path string) json.Number { return json.Number(got.text(path)) }

func (got *answer) list(path string) []any {
	list, _ := got.at(path).([]any)
	return list
}

// fill puts values in the place of {paths}; {message} and {picture} are those of the answer.
func (got *answer) fill(line string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(line, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		path, after, _ := strings.Cut(rest, "}")
		switch path {
		case "message":
			b.WriteString(got.message)
		case "picture":
			b.WriteString(got.picture)
		default:
			b.WriteString(got.text(path))
		}
		line = after
	}
}

// sizeOf is the size of a PNG; "" for what is none.
func sizeOf(picture []byte) string {
	c, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d×%d pixels", c.Width, c.Height)
}
