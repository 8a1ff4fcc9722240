// Smoothing and features of one spectrum. Masked pixels have infinite sigma and weigh nothing.

const WIDTHS = [0, 1, 2, 4, 8, 16];
const OVERVIEW = 4;

/** The spectrum smoothed by one of `WIDTHS`; worked out once. */
function smoothOf(spectrum, level) {
  return (spectrum.smooth[level] ??= smoothed(spectrum.flux, spectrum.sigma, WIDTHS[level]));
}

/** Inverse-variance weighted Gaussian of a width in pixels; NaN where nothing good is near. */
function smoothed(flux, sigma, width) {
  const n = flux.length, reach = Math.ceil(3 * width), weight = new Float64Array(n + 2 * reach), product = new Float64Array(n + 2 * reach);
  for (let i = 0; i < n; i++) {
    weight[i + reach] = sigma[i] > 0 && sigma[i] < Infinity ? 1 / (sigma[i] * sigma[i]) : 0;
    product[i + reach] = weight[i + reach] * flux[i];
  }
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, k) => (width ? Math.exp(-0.5 * ((k - reach) / width) ** 2) : 1));
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let total = 0, weights = 0;
    for (let k = 0; k < kernel.length; k++) {
      total += product[i + k] * kernel[k];
      weights += weight[i + k] * kernel[k];
    }
    out[i] = weights > 0 ? total / weights : NaN;
  }
  return out;
}

/** First and last pixel that carry information. */
function covered(sigma) {
  let first = sigma.findIndex(Number.isFinite), last = sigma.length - 1;
  while (last > first && !Number.isFinite(sigma[last])) last--;
  return first < 0 ? [0, sigma.length - 1] : [first, last];
}

/** The low and high quantiles of the finite values between two pixels. */
function quantiles(values, from, to, low, high) {
  const sorted = values.subarray(from, to + 1).filter(Number.isFinite).sort();
  if (!sorted.length) return [0, 1];
  const at = (q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
  return [at(low), at(high)];
}

/** Where the strongest peak or dip against its surroundings lies near a pixel: a fractional pixel, and whether it is a dip. */
function feature(values, near, reach = 8) {
  const from = Math.max(1, near - reach), to = Math.min(values.length - 2, near + reach);
  const level = quantiles(values, from - 20 > 0 ? from - 20 : 0, Math.min(values.length - 1, to + 20), 0.5, 0.5)[0];
  let best = near;
  for (let i = from; i <= to; i++) if (Math.abs(values[i] - level) > Math.abs(values[best] - level)) best = i;
  const [a, b, c] = [values[best - 1], values[best], values[best + 1]];
  const bend = a - 2 * b + c;
  const shift = Number.isFinite(bend) && bend !== 0 ? (0.5 * (a - c)) / bend : 0;
  return { place: best + Math.max(-0.5, Math.min(0.5, shift)), isDip: values[best] < level };
}
