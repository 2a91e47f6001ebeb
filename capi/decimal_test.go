package capi_test

import (
	"errors"
	"math"
	"testing"

	"sluice/capi"
)

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want capi.Decimal
		text string // when it differs from in
		err  error
	}{
		{in: "0"}, {in: "12.5", want: 125000}, {in: "12.50", want: 125000, text: "12.5"}, {in: "0.0001", want: 1},
		{in: "-3", want: -30000}, {in: "-0", text: "0"}, {in: "007", want: 70000, text: "7"},
		{in: "1.00010000000", want: 10001, text: "1.0001"},
		{in: "922337203685477.5807", want: math.MaxInt64}, {in: "-922337203685477.5808", want: math.MinInt64},
		{in: "922337203685477.5808", err: capi.ErrDecimalRange}, {in: "-922337203685477.5809", err: capi.ErrDecimalRange},
		{in: "99999999999999999999", err: capi.ErrDecimalRange},
		{in: "0.00001", err: capi.ErrDecimalPrecision}, {in: "1.23456", err: capi.ErrDecimalPrecision},
		{in: "", err: capi.ErrDecimalSyntax}, {in: "-", err: capi.ErrDecimalSyntax}, {in: ".5", err: capi.ErrDecimalSyntax},
		{in: "5.", err: capi.ErrDecimalSyntax}, {in: "1e3", err: capi.ErrDecimalSyntax}, {in: "+1", err: capi.ErrDecimalSyntax},
		{in: "1,5", err: capi.ErrDecimalSyntax}, {in: "1 000", err: capi.ErrDecimalSyntax}, {in: " 1", err: capi.ErrDecimalSyntax},
		{in: "1.2.3", err: capi.ErrDecimalSyntax}, {in: "--1", err: capi.ErrDecimalSyntax}, {in: "NaN", err: capi.ErrDecimalSyntax},
		{in: "0x10", err: capi.ErrDecimalSyntax}, {in: "٣", err: capi.ErrDecimalSyntax}, {in: "€5", err: capi.ErrDecimalSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			got, err := capi.ParseDecimal(tt.in)
			if !errors.Is(err, tt.err) || got != tt.want {
				t.Fatalf("got %d, %v; want %d, %v", got, err, tt.want, tt.err)
			}
			if err != nil {
				if capi.CodeOf(err) != err.Error() {
					t.Errorf("no code for %v", err)
				}
				return
			}
			text := tt.text
			if text == "" {
				text = tt.in
			}
			if got.String() != text {
				t.Errorf("written as %s, want %s", got, text)
			}
		})
	}
}

func TestDecimalOverflow(t *testing.T) {
	t.Parallel()
	if _, ok := capi.Decimal(math.MaxInt64).Add(1); ok {
		t.Error("the sum is out of range")
	}
	if _, ok := capi.Decimal(math.MinInt64).Add(-1); ok {
		t.Error("the sum is out of range")
	}
	if _, ok := capi.Decimal(math.MaxInt64).MulInt(2); ok {
		t.Error("the product is out of range")
	}
	if got, ok := capi.Decimal(1 << 62).MulInt(-2); !ok || got != math.MinInt64 {
		t.Errorf("the product is the smallest number, not %d", got)
	}
	if _, ok := capi.DecimalFromInt(math.MaxInt64); ok {
		t.Error("the number is out of range")
	}
	if got, ok := capi.DecimalFromInt(-7); !ok || got != -70000 {
		t.Errorf("got %d", got)
	}
}
