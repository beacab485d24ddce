// A scatter chart as SVG text: a logarithmic x axis, a linear y axis from zero, one legend for all panels.

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Index into the series. */
  readonly series: number;
  /** Filled, and drawn above the others. */
  readonly marked: boolean;
  readonly ringed: boolean;
  /** Shown when pointed at. */
  readonly title: string;
}

export interface Panel {
  readonly title: string;
  readonly points: readonly ChartPoint[];
}

export interface Chart {
  readonly title: string;
  readonly description: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly string[];
  /** What filled and ringed points mean. */
  readonly notes: readonly string[];
  readonly panels: readonly Panel[];
}

/** Distinct to colour-blind eyes (M. Okabe and K. Ito, "Color Universal Design", 2008). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] as const;
const panelSize = { width: 380, height: 300 } as const;
const margin = { top: 64, left: 64, right: 24, bottom: 56 } as const;
const LEGEND_LINE = 18;
const Y_TICKS = 6;

/** Numbers of a few decimals, so that the file is small and the same everywhere. */
const n = (value: number): string => String(Number(value.toFixed(1)));
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

export function scatterSvg(chart: Chart): string {
  const pitch = panelSize.width + margin.left + margin.right;
  const width = pitch * chart.panels.length;
  const legendTop = margin.top + panelSize.height + margin.bottom;
  const height = legendTop + LEGEND_LINE * (chart.series.length + chart.notes.length) + 16;
  const domain = xDomain(chart.panels.flatMap(({ points }) => points));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="chart-title chart-description" font-family="system-ui, sans-serif" font-size="12">`,
    `<title id="chart-title">${escaped(chart.title)}</title>`,
    `<desc id="chart-description">${escaped(chart.description)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${margin.left}" y="24" font-size="15" font-weight="600">${escaped(chart.title)}</text>`,
    ...chart.panels.map(
      (panel, index) =>
        `<g transform="translate(${margin.left + index * pitch} ${margin.top})">\n${panelSvg(panel, chart, domain)}\n</g>`,
    ),
    ...legend(chart, legendTop),
    '</svg>',
    '',
  ].join('\n');
}

interface Domain {
  readonly low: number;
  readonly high: number;
}

/** Whole decades, at least one. */
function xDomain(points: readonly ChartPoint[]): Domain {
  const logs = points.map(({ x }) => Math.log10(x)).filter(Number.isFinite);
  const low = Math.floor(Math.min(...logs, Number.POSITIVE_INFINITY));
  if (!Number.isFinite(low)) return { low: 0, high: 1 };
  return { low, high: Math.max(low + 1, Math.ceil(Math.max(...logs))) };
}

function panelSvg(panel: Panel, chart: Chart, { low, high }: Domain): string {
  const { width, height } = panelSize;
  const step = niceStep(Math.max(1, ...panel.points.map(({ y }) => y)) / Y_TICKS);
  const top = step * Math.ceil(Math.max(1, ...panel.points.map(({ y }) => y)) / step);
  const xOf = (x: number): number => ((Math.log10(x) - low) / (high - low)) * width;
  const yOf = (y: number): number => height - (y / top) * height;
  const decades = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  const levels = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  const drawn = [...panel.points].sort((a, b) => Number(a.marked) - Number(b.marked));
  return [
    `<text x="0" y="-12" font-weight="600">${escaped(panel.title)}</text>`,
    ...decades.map((x) => {
      const at = n(xOf(x));
      return `<path d="M${at} 0V${height + 4}" stroke="#dddddd"/><text x="${at}" y="${height + 18}" text-anchor="middle">${Number(x.toPrecision(1))}</text>`;
    }),
    ...levels.map((y) => {
      const at = n(yOf(y));
      return `<path d="M-4 ${at}H${width}" stroke="#dddddd"/><text x="-8" y="${n(yOf(y) + 4)}" text-anchor="end">${Number(y.toPrecision(6))}</text>`;
    }),
    `<path d="M0 0V${height}H${width}" fill="none" stroke="#555555"/>`,
    `<text x="${width / 2}" y="${height + 40}" text-anchor="middle">${escaped(chart.xLabel)}</text>`,
    `<text transform="translate(-46 ${height / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.yLabel)}</text>`,
    ...drawn.map((point) => dot(point, xOf(point.x), yOf(point.y))),
  ].join('\n');
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function niceStep(least: number): number {
  const decade = 10 ** Math.floor(Math.log10(least));
  return decade * ([1, 2, 5].find((factor) => factor * decade >= least) ?? 10);
}

function dot({ series, marked, ringed, title }: ChartPoint, x: number, y: number): string {
  const colour = colourOf(series);
  const ring = ringed
    ? `<circle cx="${n(x)}" cy="${n(y)}" r="9" fill="none" stroke="#000000" stroke-width="1.5"/>`
    : '';
  return `<g>${ring}<circle cx="${n(x)}" cy="${n(y)}" r="5" fill="${marked ? colour : 'none'}" fill-opacity="0.85" stroke="${colour}" stroke-width="1.5"/><title>${escaped(title)}</title></g>`;
}

const colourOf = (series: number): string => colours[series % colours.length] ?? colours[0];

function legend({ series, notes }: Chart, top: number): readonly string[] {
  const names = series.map((name, index) => {
    const y = top + index * LEGEND_LINE;
    return `<circle cx="${margin.left + 6}" cy="${y}" r="5" fill="${colourOf(index)}"/><text x="${margin.left + 20}" y="${y + 4}">${escaped(name)}</text>`;
  });
  const lines = notes.map((note, index) => {
    const y = top + (series.length + index) * LEGEND_LINE;
    return `<text x="${margin.left}" y="${y + 4}" fill="#555555">${escaped(note)}</text>`;
  });
  return [...names, ...lines];
}
