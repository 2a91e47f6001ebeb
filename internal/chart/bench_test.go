package chart

import "testing"

func BenchmarkDraw(b *testing.B) {
	for _, name := range []string{"bar", "line-year", "doughnut"} {
		c := samples()[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Draw(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
