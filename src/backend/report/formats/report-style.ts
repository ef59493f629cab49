/**
 * The report's style sheet: no fonts, images or imports, so that the file needs nothing but itself. Series colours after Okabe & Ito
 * (2008), told apart with all common forms of colour blindness; the numbers beside them carry the same information.
 */
export const reportStyle = `
${colours()}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.5rem 4rem;max-width:64rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .3rem}
h2{font-size:1.3rem;margin:2.5rem 0 .6rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.8rem 0 .5rem}
h4{font-size:1rem;margin:1.2rem 0 .3rem}
p,ul,ol,dl{margin:.4rem 0}
figure{margin:.6rem 0 1.2rem}
figcaption{color:var(--soft);font-size:.9em;max-width:720px}
.meta,.soft,small,dt+dd{color:var(--soft)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.85em}
.headline{font-size:1.15rem;font-weight:600}
dt{font-weight:600;margin-top:.6rem}
dd{margin:0}
.wide{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th{font-weight:500}
thead th{color:var(--soft)}
th.number,td.number{text-align:right;overflow-wrap:normal}
td.number{white-space:nowrap}
.results thead th{color:var(--ink)}
.results thead th.number{min-width:9rem;max-width:16rem;overflow-wrap:anywhere}
.results tbody th{white-space:nowrap}
.plain{font-size:.9em}
.plain td{min-width:3.5em}
.plain td:not(.number){min-width:6.5em}
.group th{background:var(--band);font-weight:600}
.facts th{color:var(--soft);white-space:nowrap}
.chip{display:inline-block;padding:0 .5rem;border-radius:.8rem;background:var(--band);white-space:nowrap}
.chip.good{background:var(--good-band);color:var(--good)}
.chip.bad{background:var(--bad-band);color:var(--bad)}
.warning{color:var(--warn)}
.badge{display:inline-block;min-width:1.5em;border-radius:.75em;text-align:center;background:var(--series);color:#fff;font-weight:600}
.chart{display:block;width:100%;max-width:720px;height:auto;font-size:12px}
.chart text{fill:var(--ink)}
.chart .axis text{fill:var(--soft)}
.middle{text-anchor:middle}
.end{text-anchor:end}
.chart g line,.chart circle{stroke:var(--series)}
.chart .axis .grid{stroke:var(--line)}
.chart .axis .unity{stroke:var(--ink);stroke-width:1.5}
.chart circle{fill:var(--series)}
.chart .line{fill:none;stroke:var(--series);stroke-width:1.75;stroke-linejoin:round}
.chart .roof{fill:none;stroke:var(--ink);stroke-width:1.75}
.chart .dashed{stroke-dasharray:6 4}
.chart .bar{fill:var(--series);fill-opacity:.75}
.chart .cell{fill:var(--heat)}
.chart .cells{fill:none;stroke:var(--line)}
.chart .cell-number{text-anchor:middle;font-size:11px}
.chart .on-full{fill:var(--on-heat)}
.whisker{stroke-width:3;stroke-linecap:round}
.area{fill:var(--series);fill-opacity:.45;stroke:var(--series)}
.chart .quantile{stroke:var(--ink);stroke-dasharray:3 2}
.chart .quantile-name{fill:var(--soft);font-size:10px}
.chart .label{font-weight:500;white-space:pre;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.chart .number{fill:#fff;text-anchor:middle;font-weight:600;font-size:11px}
.series-0{--series:#5b6770}
.series-1{--series:#0072b2}
.series-2{--series:#b85000}
.series-3{--series:#00805e}
.series-4{--series:#a8487e}
.series-5{--series:#2c7fa8}
.series-6{--series:#866800}
.series-7{--series:#5f4bb6}
.dominated{--series:#9aa3ab}
details{margin:.5rem 0}
summary{cursor:pointer}
:focus-visible{outline:2px solid var(--heat);outline-offset:2px}
@media print{
:root:not([data-theme]),:root[data-theme]{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--band:#eee;--good:#0b6e4f;--good-band:#fff;--bad:#a3301c;--bad-band:#fff;--warn:#6b4600;--heat:#0072b2;--on-heat:#fff}
body{max-width:none;padding:0;font-size:9.5pt}
h2,h3,h4,h4+p,summary,.group{break-after:avoid}
figcaption{break-before:avoid}
details::details-content{content-visibility:visible;display:block}
figure,tr,.facts,.chip{break-inside:avoid}
thead{display:table-header-group}
.wide{overflow:visible}
.plain,.results{font-size:8pt}
.results thead th.number{min-width:0}
th,td{padding:.15rem .3rem}
.plain td:not(.number){min-width:5em}
.results td.number,.results tbody th{white-space:normal}
.chart{max-width:640px}
.chip{border:1px solid currentColor}
.badge,.chart,.group th{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`

/** Colours in the light, in the dark, and where a theme is asked for. */
function colours(): string {
  const light =
    'color-scheme:light;--paper:#fff;--ink:#1c2126;--soft:#5c6670;--line:#d9dee3;--band:#f4f6f8;--good:#0b6e4f;--good-band:#dff3ea;--bad:#a3301c;--bad-band:#fbe4df;--warn:#8a5a00;--heat:#0072b2;--on-heat:#fff'
  const dark =
    'color-scheme:dark;--paper:#15181b;--ink:#e6e9ec;--soft:#a2abb4;--line:#363d44;--band:#1f2428;--good:#6fd3a8;--good-band:#143527;--bad:#f2967f;--bad-band:#40201a;--warn:#e0b050;--heat:#4aa8e0;--on-heat:#000'
  return `:root{${light}}
@media (prefers-color-scheme:dark){:root:not([data-theme]){${dark}}}
:root[data-theme=dark]{${dark}}`
}
