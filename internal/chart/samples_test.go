package chart

import (
	"fmt"
	"math"
)

// samples are the pictures that the golden file knows.
func samples() map[string]Chart {
	days := make([]string, 30)
	spend, revenue := make([]float64, 30), make([]float64, 30)
	for i := range days {
		days[i] = fmt.Sprintf("2026-10-%02d", i+1)
		spend[i] = 120 + 40*math.Sin(float64(i)/3) + float64(i)
		revenue[i] = 300 + 90*math.Cos(float64(i)/4) + 4*float64(i)
	}
	year := make([]string, 365)
	long := make([]float64, 365)
	for i := range year {
		year[i] = fmt.Sprintf("day %d", i+1)
		long[i] = 1_500_000 + 900_000*math.Sin(float64(i)/40) + 60_000*math.Sin(float64(i))
	}
	var many []Series
	for i := range 12 {
		s := Series{Name: fmt.Sprintf("Campaign number %d", i+1)}
		for j := range 8 {
			s.Values = append(s.Values, float64((i*7+j*13)%40+5))
		}
		many = append(many, s)
	}
	months := []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug"}
	campaigns := []string{"Spring sale, prospecting, broad audience", "Retargeting: basket left behind", "New customers lookalike 1 %", "Brand awareness", "Catalogue sales all products"}
	platforms := []string{"facebook", "instagram", "audience_network", "messenger", "threads"}
	var cities []string
	var fans []float64
	for i := range 40 {
		cities = append(cities, fmt.Sprintf("City %d", i+1))
		fans = append(fans, float64(2000/(i+1)))
	}
	return map[string]Chart{
		"bar":            {Kind: Bar, Title: "Spend by platform, last 30 days", Labels: platforms, Series: []Series{{Name: "Spend (GBP)", Values: []float64{1234.5, 987.25, 120, 14.2, 65}}}, Values: true},
		"bar-long":       {Kind: Bar, Title: "Clicks by campaign", Labels: append(campaigns, campaigns...), Series: []Series{{Name: "This month", Values: []float64{120, 90, 45, 200, 75, 12, 33, 80, 140, 9}}, {Name: "Last month", Values: []float64{100, 95, 60, 150, 70, 30, 20, 99, 100, 11}}}},
		"bar-negative":   {Kind: Bar, Title: "Change of followers by month", Labels: months, Series: []Series{{Values: []float64{120, -40, 30, -90, 60, 10, -5, 44}}}, Values: true},
		"bar-stacked":    {Kind: Bar, Title: "Impressions by platform", Labels: months, Stacked: true, Values: true, Series: []Series{{Name: "facebook", Values: []float64{120e3, 90e3, 80e3, 140e3, 160e3, 90e3, 70e3, 60e3}}, {Name: "instagram", Values: []float64{60e3, 50e3, 80e3, 90e3, 100e3, 120e3, 140e3, 160e3}}, {Name: "messenger", Values: []float64{6e3, 5e3, 8e3, 9e3, 10e3, 12e3, 14e3, 16e3}}}},
		"bar-many":       {Kind: Bar, Title: "Twelve campaigns", Labels: months, Series: many},
		"horizontal":     {Kind: HorizontalBar, Title: "Return on ad spend by campaign", Labels: campaigns, Series: []Series{{Name: "ROAS", Values: []float64{2.4, 5.12, 1.75, 0.4, 3.9}}}, Values: true},
		"horizontal-neg": {Kind: HorizontalBar, Title: "Change against last month", Unit: "%", Labels: campaigns, Series: []Series{{Values: []float64{24, -12, 7.5, -40, 3.9}}}, Values: true},
		"line":           {Kind: Line, Title: "Spend and revenue by day", Labels: days, Series: []Series{{Name: "Spend (GBP)", Values: spend}, {Name: "Revenue (GBP)", Values: revenue}}},
		"line-year":      {Kind: Line, Title: "Impressions by day", Labels: year, Series: []Series{{Name: "Impressions", Values: long}}},
		"line-many":      {Kind: Line, Title: "Twelve campaigns", Labels: months, Series: many},
		"area":           {Kind: Area, Title: "Revenue over spend", Labels: days, Series: []Series{{Name: "Revenue", Values: revenue}, {Name: "Spend", Values: spend}}},
		"area-stacked":   {Kind: Area, Title: "Revenue and spend, stacked", Stacked: true, Labels: days, Series: []Series{{Name: "Revenue", Values: revenue}, {Name: "Spend", Values: spend}}},
		"pie":            {Kind: Pie, Title: "Share of spend by platform", Labels: platforms, Series: []Series{{Values: []float64{1234.5, 987.25, 120, 14.2, 65}}}},
		"doughnut":       {Kind: Doughnut, Title: "Followers by city", Labels: cities, Series: []Series{{Values: fans}}},
		"polar":          {Kind: PolarArea, Title: "Clicks by weekday", Labels: []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, Series: []Series{{Values: []float64{120, 140, 90, 160, 200, 80, 60}}}},
		"radar":          {Kind: Radar, Title: "Two creatives compared", Labels: []string{"Click rate", "Hook rate", "Hold rate", "Conversion rate", "Value per click", "Engagement"}, Series: []Series{{Name: "Carousel", Values: []float64{70, 55, 40, 80, 65, 50}}, {Name: "Video", Values: []float64{60, 85, 75, 45, 40, 78}}}},
		"comparison":     {Kind: Comparison, Title: "This week against last week", Labels: []string{"Impressions", "Reach", "Clicks", "Click rate (%)", "Spend (GBP)", "Purchases"}, Series: []Series{{Name: "Last week", Values: []float64{1_204_500, 800_120, 23_400, 1.94, 1820.55, 112}}, {Name: "This week", Values: []float64{1_504_100, 790_000, 29_100, 1.93, 1790.1, 140}}}},
		"small":          {Kind: Bar, Title: "A picture of the least size with a title that needs two lines", Labels: months, Series: []Series{{Name: "A", Values: []float64{1, 2, 3, 4, 5, 6, 7, 8}}}, Width: 320, Height: 240},
		"one-point":      {Kind: Line, Title: "One day", Labels: []string{"2026-11-20"}, Series: []Series{{Name: "Spend", Values: []float64{0.035}}}, Values: true},
	}
}
