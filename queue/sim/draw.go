package sim

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// The picture's measures, in pixels.
const (
	width, labelWidth  = 720, 150
	plotHeight, barRow = 240, 24
	margin             = 40
)

// hues tell the lines apart on light and on dark.
var hues = []int{210, 30, 140, 330, 260, 90, 0, 180, 290, 50}

// Draw is an SVG of the waits, sorted, and of the runs per landed pull request. It
// has its own colours for light and dark.
func Draw(l Load, all []Figures) string {
	var b strings.Builder
	height := margin + plotHeight + margin + margin + barRow*len(all) + margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" role="img">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>Waits and CI runs: %s</title>\n", html.EscapeString(l.String()))
	b.WriteString(`<style>
.back { fill: #fff } text { fill: #1f2328 } .faint { stroke: #d0d7de; fill: none } .line { fill: none; stroke-width: 1.5 }
`)
	for i, hue := range hues {
		fmt.Fprintf(&b, ".line.c%d { stroke: hsl(%d 65%% 40%%) } rect.c%d { fill: hsl(%d 65%% 40%%) }\n", i, hue, i, hue)
	}
	b.WriteString("@media (prefers-color-scheme: dark) {\n.back { fill: #0d1117 } text { fill: #e6edf3 } .faint { stroke: #30363d }\n")
	for i, hue := range hues {
		fmt.Fprintf(&b, ".line.c%d { stroke: hsl(%d 70%% 65%%) } rect.c%d { fill: hsl(%d 70%% 65%%) }\n", i, hue, i, hue)
	}
	fmt.Fprintf(&b, "}\n</style>\n<rect class=\"back\" width=\"%d\" height=\"%d\"/>\n", width, height)
	drawWaits(&b, l, all)
	drawRuns(&b, all)
	b.WriteString("</svg>\n")
	return b.String()
}

// drawWaits draws one line a policy: the share of pull requests that waited at most so long, on a log scale.
func drawWaits(b *strings.Builder, l Load, all []Figures) {
	most := 100.0
	for _, f := range all {
		most = max(most, f.P99)
	}
	least := 5.0
	y := func(wait float64) float64 {
		share := math.Log(max(wait, least)/least) / math.Log(most/least)
		return margin + plotHeight*(1-min(1, share))
	}
	fmt.Fprintf(b, `<text x="8" y="18">Minutes waited, from the shortest wait to the longest: %s</text>`+"\n", html.EscapeString(l.String()))
	for _, mark := range []float64{5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000} {
		if mark <= most {
			fmt.Fprintf(b, `<path class="faint" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n", margin, y(mark), width-labelWidth, margin-4, y(mark)+4, mark)
		}
	}
	for i, f := range all {
		waits := slices.Clone(f.waits)
		slices.Sort(waits)
		fmt.Fprintf(b, `<polyline class="line c%d" points="`, i%len(hues))
		for step := range 101 {
			fmt.Fprintf(b, "%.1f,%.1f ", margin+float64(width-labelWidth-margin)*float64(step)/100, y(percentile(waits, float64(step)/100)))
		}
		fmt.Fprintf(b, "\"><title>%s: half within %.0f min, 95 %% within %.0f</title></polyline>\n", html.EscapeString(f.Policy), f.P50, f.P95)
		row := margin + 8 + float64(i)*min(barRow, float64(plotHeight+2*margin)/float64(len(all)))
		fmt.Fprintf(b, `<rect class="c%d" x="%d" y="%.1f" width="10" height="10"/><text x="%d" y="%.1f">%s</text>`+"\n",
			i%len(hues), width-labelWidth+12, row-9, width-labelWidth+28, row, html.EscapeString(f.Policy))
	}
}

// drawRuns draws one bar a policy.
func drawRuns(b *strings.Builder, all []Figures) {
	top := margin + plotHeight + 2*margin
	most := 0.1
	for _, f := range all {
		most = max(most, f.RunsPerLanded)
	}
	fmt.Fprintf(b, `<text x="8" y="%d">CI runs per landed pull request</text>`+"\n", top-10)
	for i, f := range all {
		y, long := top+i*barRow, float64(width-2*labelWidth)*f.RunsPerLanded/most
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="c%d" x="%d" y="%d" width="%.1f" height="14"/><text x="%.1f" y="%d">%.2f</text>`+"\n",
			labelWidth-8, y+12, html.EscapeString(f.Policy), i%len(hues), labelWidth, y, long, float64(labelWidth)+long+6, y+12, f.RunsPerLanded)
	}
}
