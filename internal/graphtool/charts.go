package graphtool

import (
	"sluice/internal/graphtool/tool"
)

// chartSize and chartFile are what both chart tools take.
var (
	chartSize = []tool.Arg{
		tool.Int("width", "Width in pixels.").Min(320).Max(2000).Is(900),
		tool.Int("height", "Height in pixels.").Min(240).Max(1600).Is(560),
	}
	chartFile = []tool.Arg{
		tool.Text("output_path", "Also write the picture to this .png file inside the allowed folder.").Max(500),
		tool.Bool("overwrite", "Replace the file if there is one.").Is(false),
	}
)

const (
	chartMembers = "title chart_type width:int height:int bytes:int labels:list<string> datasets:json output_path"
	chartNote    = "Drawn on this machine and sent to nobody; the picture comes inline as PNG and the numbers as data. A file is written only with output_path."
)

var chartTools = []*tool.Tool{
	{
		Name: "meta_generate_chart", Title: "Draw a chart", Set: "charts", Core: true,
		Does: "Draws a chart of numbers that are given as a PNG picture: bars, lines, areas, shares, or a radar.",
		Use:  "To show results that other tools read, such as meta_get_account_insights with time_increment 1. For two groups or periods beside each other use meta_generate_comparison_chart.",
		Note: chartNote + " Pies, doughnuts and polarArea take values that aren't negative; beyond 12 slices the smallest are summed.",
		Args: tool.Join([]tool.Arg{
			tool.Enum("chart_type", "bar horizontalBar line area pie doughnut polarArea radar", "Form of the chart; line or area for time.").Is("bar"),
			tool.Text("title", "What the chart shows, with unit and period.").Req().Max(300),
			tool.Strings("labels", "One for each value, in order.").Req().Min(1).Max(500),
			tool.List("datasets", tool.Object("", "One series.",
				tool.Text("label", "Name in the legend.").Req().Max(300),
				tool.List("data", tool.Number("", ""), "One number for each label.").Req().Min(1).Max(500),
				tool.Text("color", "#rrggbb, rgb(r,g,b) or a plain name; without it a palette that colour-blind people can read.").Max(40),
			), "The series.").Req().Min(1).Max(12),
			tool.Bool("stacked", "Put the series of bars or areas on top of each other.").Is(false),
			tool.Bool("show_values", "Write the numbers into the chart.").Is(false),
			tool.Text("unit", "Written behind the numbers: %, or a blank and GBP.").Max(12),
		}, chartSize, chartFile),
		Run: drawChart, Category: tool.Execute, Severity: tool.Medium, Repeat: true,
		Out: tool.Out{Members: chartMembers},
		Cases: []tool.Case{
			{
				Name: "spend by day", Args: `{"chart_type":"line","title":"Spend by day (GBP)","labels":["Mon","Tue","Wed"],"datasets":[{"label":"Spend","data":[12.5,14,9.75]}]}`,
				Asks: []string{}, Has: []string{"data.chart_type=line", "data.bytes", "data.labels.2=Wed", "data.datasets.0.data.1=14"}, Shows: []string{"Spend by day (GBP)", "| Wed | 9.75 |"},
			},
			{
				Name: "written to a file", Args: `{"title":"Clicks","labels":["a","b"],"datasets":[{"label":"Clicks","data":[1,2],"color":"#0072b2"}],"output_path":"clicks.png"}`,
				Has: []string{"data.output_path=clicks.png"},
			},
			{Name: "over a file that is there", Args: `{"title":"Clicks","labels":["a"],"datasets":[{"label":"Clicks","data":[1]}],"output_path":"picture.png"}`, Error: "upload_refused", Says: []string{"overwrite"}, Asks: []string{}},
			{Name: "over it on purpose", Args: `{"title":"Clicks","labels":["a"],"datasets":[{"label":"Clicks","data":[1]}],"output_path":"picture.png","overwrite":true}`, Has: []string{"data.output_path=picture.png"}},
			{Name: "a file outside", Args: `{"title":"Clicks","labels":["a"],"datasets":[{"label":"Clicks","data":[1]}],"output_path":"../clicks.png"}`, Error: "upload_refused", Says: []string{"output_path"}, Asks: []string{}},
			{Name: "a file of another kind", Args: `{"title":"Clicks","labels":["a"],"datasets":[{"label":"Clicks","data":[1]}],"output_path":"notes.txt","overwrite":true}`, Error: "upload_refused", Says: []string{".png"}, Asks: []string{}},
			{Name: "lengths that differ", Args: `{"title":"Clicks","labels":["a","b"],"datasets":[{"label":"Clicks","data":[1]}]}`, Error: "argument_invalid", Says: []string{"one value for each label"}, Asks: []string{}},
			{Name: "a share of less than nothing", Args: `{"chart_type":"pie","title":"Clicks","labels":["a","b"],"datasets":[{"label":"Clicks","data":[1,-2]}]}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_generate_comparison_chart", Title: "Draw a comparison of two groups", Set: "charts",
		Does: "Draws two groups or periods beside each other as a PNG picture, with the change from the first to the second in percent.",
		Use:  "For before and after, or A against B, over several metrics. For one series, more than two, or time use meta_generate_chart.",
		Note: chartNote + " As horizontalBar each metric has a scale of its own, so that impressions and a rate stand in one picture; as bar all share one.",
		Args: tool.Join([]tool.Arg{
			tool.Text("title", "What is compared.").Req().Max(300),
			tool.Strings("metrics", "Names of the metrics, in order.").Req().Min(1).Max(40),
			comparedGroup("group_a", "The first group, or the period before."), comparedGroup("group_b", "The second group, or the period after."),
			tool.Enum("chart_type", "horizontalBar bar", "Form of the chart.").Is("horizontalBar"),
		}, chartSize, chartFile),
		Run: drawComparison, Category: tool.Execute, Severity: tool.Medium, Repeat: true,
		Out: tool.Out{Members: chartMembers + " changes:list<string>"},
		Cases: []tool.Case{
			{
				Name: "two weeks", Args: `{"title":"This week against last","metrics":["Impressions","Click rate (%)"],"group_a":{"label":"Last week","values":[120000,1.9]},"group_b":{"label":"This week","values":[150000,1.8]}}`,
				Asks: []string{}, Has: []string{"data.changes.0=+25.0%", "data.bytes"}, Shows: []string{"| Impressions | 120000 | 150000 | +25.0% |"},
			},
			{Name: "upright, on one scale", Args: `{"title":"A against B","chart_type":"bar","metrics":["Clicks","Likes"],"group_a":{"label":"A","values":[12,19]},"group_b":{"label":"B","values":[15,18],"color":"teal"}}`, Has: []string{"data.chart_type=bar"}},
			{Name: "lengths that differ", Args: `{"title":"A against B","metrics":["Clicks"],"group_a":{"label":"A","values":[1]},"group_b":{"label":"B","values":[1,2]}}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}

func comparedGroup(name, doc string) tool.Arg {
	return tool.Object(name, doc,
		tool.Text("label", "Name in the legend.").Req().Max(300),
		tool.List("values", tool.Number("", ""), "One number for each metric.").Req().Min(1).Max(40),
		tool.Text("color", "#rrggbb, rgb(r,g,b) or a plain name.").Max(40),
	).Req()
}
