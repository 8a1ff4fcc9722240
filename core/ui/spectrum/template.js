// Template fits in the browser: on a log-lambda grid a basis at any redshift is a shift, so the model
// follows z without the server. The sums are those of the server's own fit.

const REACH = 22;
/** Trial redshifts on either side of a refit, in pixels of the spectrum: about 1500 km/s. */

/** The class that fits best at a redshift: its name, chi-square as classes compete, model on the spectrum's pixels; null when none covers it. */
function modelAt(bases, grid, spectrum, z) {
  const fits = covering(bases, z).map((basis) => ({ basis, ...fitAt(basis, grid, spectrum, z) }));
  const best = fits.reduce((a, b) => (a && a.chi2 <= b.chi2 ? a : b), null);
  return best && { name: best.basis.name, chi2: best.chi2, basis: best.basis, values: predicted(best.basis, grid, spectrum.range, z, best.coefficients) };
}

/** The best redshift near ``z`` on whole pixels, to a fraction of one by a parabola, with its error; null when no basis covers it. */
function refitNear(bases, grid, spectrum, z) {
  const here = modelAt(bases, grid, spectrum, z);
  if (!here) return null;
  const middle = Math.round(Math.log10(1 + z) / grid.step), shifts = Array.from({ length: 2 * REACH + 1 }, (_, k) => middle - REACH + k);
  const chi2 = shifts.map((s) => fitAt(here.basis, grid, spectrum, 10 ** (s * grid.step) - 1).chi2);
  const at = Math.max(1, Math.min(chi2.length - 2, chi2.indexOf(Math.min(...chi2))));
  const [left, low, right] = chi2.slice(at - 1, at + 2), bend = Math.max(left - 2 * low + right, 1e-3);
  const found = 10 ** ((shifts[at] + Math.max(-1, Math.min(1, (0.5 * (left - right)) / bend))) * grid.step) - 1;
  return { z: found, sigma: (1 + found) * Math.LN10 * grid.step * Math.sqrt(2 / bend), name: here.name, gain: here.chi2 - low };
}

function covering(bases, z) {
  return bases.filter(({ z_range }) => z >= z_range[0] && z <= z_range[1]);
}

/** Weighted least squares of a basis at a redshift. */
function fitAt(basis, grid, spectrum, z) {
  const size = basis.count + basis.polynomials, normal = new Float64Array(size * size), right = new Float64Array(size), row = new Float64Array(size);
  const { flux, sigma, range } = spectrum, place = placing(basis, grid, z);
  let total = 0;
  for (let i = range[0]; i <= range[1]; i++) {
    if (!(sigma[i] > 0 && sigma[i] < Infinity)) continue;
    const weight = 1 / (sigma[i] * sigma[i]);
    fill(row, basis, place(i), polynomialAt(grid, i));
    total += weight * flux[i] * flux[i];
    for (let a = 0; a < size; a++) {
      const scaled = weight * row[a];
      if (scaled === 0) continue;
      right[a] += scaled * flux[i];
      for (let b = 0; b <= a; b++) normal[a * size + b] += scaled * row[b];
    }
  }
  const coefficients = solved(normal, right);
  return { coefficients, chi2: total - coefficients.reduce((sum, c, k) => sum + c * right[k], 0) + basis.cost };
}

function predicted(basis, grid, range, z, coefficients) {
  const out = new Float32Array(grid.length), row = new Float64Array(coefficients.length), place = placing(basis, grid, z);
  for (let i = range[0]; i <= range[1]; i++) {
    fill(row, basis, place(i), polynomialAt(grid, i));
    out[i] = row.reduce((sum, v, k) => sum + v * coefficients[k], 0);
  }
  return out;
}

/** Where a pixel of the spectrum lies on a basis' own pixels at a redshift. */
function placing(basis, grid, z) {
  const first = (grid.loglam0 - Math.log10(1 + z) - basis.loglam0) / basis.step, stride = grid.step / basis.step;
  return (i) => first + i * stride;
}

function polynomialAt(grid, i) {
  return (2 * i) / (grid.length - 1) - 1;
}

/** The templates at a place between two of their pixels, 0 beyond their ends, then powers of ``x``. */
function fill(row, { rows, count, polynomials }, place, x) {
  const length = rows.length / count, left = Math.floor(place + 1e-6), part = Math.max(0, place - left), isInside = left >= 0 && left < length - 1;
  for (let k = 0; k < count; k++) {
    const at = k * length + left;
    row[k] = isInside ? rows[at] * (1 - part) + rows[at + 1] * part : 0;
  }
  for (let p = 0, power = 1; p < polynomials; p++, power *= x) row[count + p] = power;
}

/** Solves a symmetric system, given by its lower half, after scaling; what has no weight gets 0. Cholesky. */
function solved(normal, right) {
  const size = right.length, diagonal = right.map((_, k) => normal[k * size + k]), most = Math.max(...diagonal);
  const isDead = diagonal.map((d) => (d > 0 && d >= 1e-12 * most ? 0 : 1)), scale = diagonal.map((d, k) => (isDead[k] ? 1 : Math.sqrt(d)));
  const lower = new Float64Array(size * size), out = new Float64Array(size);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = a === b ? 1 + 1e-7 : isDead[a] || isDead[b] ? 0 : normal[a * size + b] / (scale[a] * scale[b]);
      for (let k = 0; k < b; k++) sum -= lower[a * size + k] * lower[b * size + k];
      lower[a * size + b] = a === b ? Math.sqrt(Math.max(sum, 1e-12)) : sum / lower[b * size + b];
    }
  }
  for (let a = 0; a < size; a++) {
    out[a] = isDead[a] ? 0 : right[a] / scale[a];
    for (let k = 0; k < a; k++) out[a] -= lower[a * size + k] * out[k];
    out[a] /= lower[a * size + a];
  }
  for (let a = size - 1; a >= 0; a--) {
    for (let k = a + 1; k < size; k++) out[a] -= lower[k * size + a] * out[k];
    out[a] /= lower[a * size + a];
  }
  return out.map((v, k) => (isDead[k] ? 0 : v / scale[k]));
}
