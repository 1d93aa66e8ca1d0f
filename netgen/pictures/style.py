"""The look of the report: colours for light and dark, on paper always light; pictures; the page."""

from __future__ import annotations

COLOURS = """
:root {
  --paper: #ffffff; --panel: #f4f6f9; --ink: #1d2430; --pale: #596474; --rule: #d5dbe4;
  --accent: #2563a8; --mark: #b4460f; --tint: #b4460f1c;
  --hue0: #3a7fc1; --hue1: #c9822b; --hue2: #3f9b6b; --hue3: #a65fae; --hue4: #8a8f2f;
  --hue5: #c25b6b;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14181f; --panel: #1d232d; --ink: #e6eaf0; --pale: #a3aebd; --rule: #38424f;
    --accent: #7db7f0; --mark: #f2a06b; --tint: #f2a06b26;
    --hue0: #6aaae6; --hue1: #e0a458; --hue2: #67c192; --hue3: #c88bd0; --hue4: #b9be5c;
    --hue5: #e58c99;
  }
}
"""

PICTURE = """
svg { font-family: system-ui, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
svg .paper { fill: var(--paper); }
svg .panel { fill: var(--panel); stroke: var(--rule); }
svg .ink { fill: var(--ink); }
svg .pale { fill: var(--pale); }
svg .accent { fill: var(--accent); }
svg .strong { fill: var(--ink); font-weight: 600; }
svg .mark { fill: var(--mark); font-weight: 600; }
svg .tint { fill: var(--tint); }
svg .grid { stroke: var(--rule); fill: none; }
svg .axis { stroke: var(--pale); fill: none; }
svg .wire { stroke: var(--pale); fill: none; stroke-width: 1.5; }
svg .head { fill: var(--pale); }
svg .bound { stroke: var(--mark); fill: none; stroke-width: 1.5; stroke-dasharray: 6 4; }
svg .region { stroke: var(--accent); fill: none; stroke-width: 2; }
svg .curve { stroke: var(--accent); fill: none; stroke-width: 2; }
svg .dot { fill: var(--accent); stroke: var(--paper); stroke-width: 1.5; }
svg .label { fill: var(--ink); stroke: var(--paper); stroke-opacity: 0.75; stroke-width: 3px;
  paint-order: stroke; stroke-linejoin: round; }
svg .shared { fill: none; stroke: var(--ink); stroke-dasharray: 2 2; }
svg .hatch { stroke: var(--ink); stroke-opacity: 0.45; stroke-width: 1.2; }
svg .ring { fill: url(#hatch); }
svg .hue { fill-opacity: 0.34; }
""" + "".join(f"svg .hue{n} {{ fill: var(--hue{n}); stroke: var(--hue{n}); }}\n" for n in range(6))

PAGE = """
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 20px 16px 48px; max-width: 1120px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif;
}
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 8px; padding-top: 8px; border-top: 1px solid var(--rule); }
h3 { font-size: 16px; margin: 0; display: inline; }
p { margin: 6px 0; max-width: 78ch; }
.pale { color: var(--pale); }
a { color: var(--accent); }
nav a { display: inline-block; margin: 6px 14px 0 0; }
code, .code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
code.option { white-space: nowrap; }
code { font-size: 0.92em; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px;
  margin: 16px 0; }
.tile { background: var(--panel); border: 1px solid var(--rule); border-radius: 6px;
  padding: 8px 12px; }
.tile b { display: block; font-size: 19px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile span { color: var(--pale); font-size: 13px; }
.wide { overflow-x: auto; margin: 8px 0; }
.wide svg { display: block; height: auto; }
table { border-collapse: collapse; font-size: 13px; line-height: 1.4; }
caption { text-align: left; color: var(--pale); padding-bottom: 4px; }
th, td { text-align: left; vertical-align: top; padding: 4px 10px 4px 0;
  border-bottom: 1px solid var(--rule); }
th { color: var(--pale); font-weight: 600; vertical-align: bottom; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n, td.shape { white-space: nowrap; }
td.name { overflow-wrap: anywhere; min-width: 24ch; }
td.long { overflow-wrap: anywhere; min-width: 24ch; }
tr.total td { font-weight: 600; border-bottom: 0; }
tr.segment td { background: var(--panel); color: var(--pale); padding-left: 8px; }
.bar { display: block; height: 4px; margin-top: 3px; margin-left: auto; background: var(--hue0);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }
details { margin: 10px 0; }
summary { cursor: pointer; padding: 4px 0; }
.stage { columns: 340px auto; column-gap: 20px; margin-top: 8px; }
.stage svg { display: block; width: 100%; max-width: 420px; height: auto; break-inside: avoid; }
@media (max-width: 600px) {
  body { padding: 14px 12px 40px; }
  h1 { font-size: 22px; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tile b { font-size: 17px; }
}
@page { margin: 14mm 12mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  h2 { margin-top: 18pt; break-after: avoid; }
  .wide { overflow: visible; break-inside: auto; }
  .wide svg { max-width: 100%; break-inside: avoid; }
  .tile { break-inside: avoid; }
  table { font-size: 7.5pt; width: 100%; }
  th, td { padding: 2pt 5pt 2pt 0; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
  td.long { min-width: 0; }
  td.name { min-width: 22ch; }
  details::details-content { content-visibility: visible; height: auto; }
  summary { list-style: none; break-after: avoid; }
  .stage { columns: 3; column-gap: 8pt; }
}
"""
