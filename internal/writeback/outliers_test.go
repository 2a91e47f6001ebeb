package writeback

import "testing"

func TestOutliersAreCountedOnlyFarOut(t *testing.T) {
	t.Parallel()
	var o outliers
	for i := range 10_000 {
		o.add("GBP", int64(50_0000+i*100)) // 50 to 150
	}
	if n := o.count("GBP"); n != 0 {
		t.Errorf("%d outliers among ordinary amounts", n)
	}
	o.add("GBP", 900_0000)    // six times the largest
	o.add("GBP", 77_183_0000) // an order that was cancelled 16 minutes later
	if n := o.count("GBP"); n != 1 {
		t.Errorf("%d outliers, want 1", n)
	}
	o.add("EUR", 1<<62)
	if n := o.count("EUR"); n != 0 {
		t.Errorf("%d outliers among one amount", n)
	}
}

func TestOutlierBucketsGrowWithTheAmount(t *testing.T) {
	t.Parallel()
	last := -1
	for v := int64(1); v > 0 && v < 1<<61; v += v/20 + 1 {
		b := outlierBucket(v)
		if b < last || b >= 64*outlierSteps {
			t.Fatalf("bucket of %d is %d after %d", v, b, last)
		}
		last = b
	}
}
