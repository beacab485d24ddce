import { describe, expect, it } from 'vitest';
import { type ChartPoint, scatterSvg } from '../../lib/simulator/chart.ts';

const point = (x: number, y: number, change: Partial<ChartPoint> = {}): ChartPoint => ({
  x,
  y,
  series: 0,
  marked: false,
  ringed: false,
  title: `at ${x}`,
  ...change,
});

const svgOf = (points: readonly ChartPoint[], title = 'A title') =>
  scatterSvg({
    title,
    description: 'What it shows',
    xLabel: 'false votes',
    yLabel: 'seconds',
    series: ['one', 'two'],
    notes: ['a note'],
    panels: [{ title: 'Left', points }],
  });

/** Each point's place, by its title. */
function places(svg: string): Map<string, { x: number; y: number }> {
  const found = svg.matchAll(/<circle cx="([\d.-]+)" cy="([\d.-]+)" r="5"[^>]*\/><title>([^<]*)<\/title>/g);
  return new Map([...found].map(([, x, y, title]) => [String(title), { x: Number(x), y: Number(y) }]));
}

describe('a scatter chart', () => {
  it('closes every element it opens, and escapes what it is given', () => {
    const svg = svgOf([point(1, 2, { title: 'a < b & "c"' })], 'R&D <script>');
    const open: string[] = [];
    for (const [, closing, name, empty] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(String(name));
    }
    expect(open).toEqual([]);
    expect(svg).toContain('<title id="chart-title">R&amp;D &lt;script&gt;</title>');
    expect(svg).toContain('<title>a &lt; b &amp; &quot;c&quot;</title>');
    expect(svg).toMatch(/role="img" aria-labelledby="chart-title chart-description"/);
  });

  it('has a logarithmic x axis: equal ratios are equal distances', () => {
    const at = places(svgOf([point(0.1, 1), point(1, 1), point(10, 1)]));
    const [left = 0, middle = 0, right = 0] = [...at.values()].map(({ x }) => x);
    expect(middle - left).toBeCloseTo(right - middle, 0);
    expect(left).toBe(0);
  });

  it('has a linear y axis from zero upwards', () => {
    const at = places(svgOf([point(1, 0), point(2, 10), point(3, 20)]));
    const [low = 0, middle = 0, high = 0] = [...at.values()].map(({ y }) => y);
    expect(low - middle).toBeCloseTo(middle - high, 0);
    expect(middle).toBeLessThan(low);
  });

  it('keeps every point within its panel, whatever the range', () => {
    for (const values of [[0.003, 0.004], [5], [1e-3, 1e6]]) {
      for (const { x, y } of places(svgOf(values.map((value) => point(value, value)))).values()) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(380);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(300);
      }
    }
  });

  it('fills marked points, fires ringed ones, and names each series', () => {
    const svg = svgOf([point(1, 1), point(2, 2, { marked: true, ringed: true, series: 1 })]);
    expect(svg.match(/fill="none" fill-opacity/g)).toHaveLength(1);
    expect(svg.match(/r="9"/g)).toHaveLength(1);
    expect(svg).toContain('>one</text>');
    expect(svg).toContain('>two</text>');
    expect(svg).toContain('>a note</text>');
  });

  it('can be empty', () => {
    expect(svgOf([])).not.toMatch(/NaN|Infinity/);
  });
});
