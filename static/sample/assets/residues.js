// The terms modulo m as a picture: one cell per term, in reading order, one colour per residue.
// Regularities that no list of numbers shows (periods, carries, fractal blocks) become visible.

import { residue } from './sequence.js';

// Dark to light in steps that look even, and that differ in lightness too: readable without colour vision.
const STOPS = [[31, 49, 92], [32, 101, 128], [46, 152, 133], [134, 192, 116], [247, 212, 124]];
const LEAST_CELL = 3;

export function residueColor(r, modulus) {
  const at = (r / Math.max(1, modulus - 1)) * (STOPS.length - 1);
  const below = Math.min(Math.floor(at), STOPS.length - 2);
  const mix = STOPS[below].map((part, i) => Math.round(part + (STOPS[below + 1][i] - part) * (at - below)));
  return `rgb(${mix.join(' ')})`;
}

/**
 * Draws into `canvas`, at most width by height CSS pixels. `row` 0 lets the picture fill the space.
 * @returns {{mark(i), nearest(x, y), shown, columns}}
 */
export function drawResidues(canvas, terms, modulus, row, width, height) {
  const most = Math.floor(width / LEAST_CELL);
  const columns = Math.min(most, row || Math.max(1, Math.ceil(Math.sqrt((terms.length * width) / height))));
  const cell = Math.max(LEAST_CELL, Math.min(44, Math.floor(width / columns)));
  const rows = Math.min(Math.ceil(terms.length / columns), Math.max(1, Math.floor(height / cell)));
  const shown = Math.min(terms.length, rows * columns);

  const density = window.devicePixelRatio || 1;
  canvas.width = columns * cell * density;
  canvas.height = rows * cell * density;
  canvas.style.width = `${columns * cell}px`;
  canvas.style.height = `${rows * cell}px`;
  canvas.dataset.points = shown;
  canvas.dataset.modulus = modulus;
  canvas.setAttribute('aria-label', `The first ${shown} terms modulo ${modulus}, ${columns} in a row`);

  const context = canvas.getContext('2d');
  const gap = cell >= 8 ? 1 : 0;
  const residues = terms.slice(0, shown).map(({ value }) => residue(value, BigInt(modulus)));
  const paint = (marked) => {
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, columns * cell, rows * cell);
    residues.forEach((r, i) => {
      context.fillStyle = residueColor(r, modulus);
      context.fillRect((i % columns) * cell, Math.floor(i / columns) * cell, cell - gap, cell - gap);
    });
    if (marked >= shown) return;
    context.strokeStyle = '#e0533d';
    context.lineWidth = 2;
    context.strokeRect((marked % columns) * cell, Math.floor(marked / columns) * cell, cell - gap, cell - gap);
  };

  return {
    shown,
    columns,
    mark: paint,
    nearest(x, y) {
      const column = Math.min(columns - 1, Math.max(0, Math.floor(x / cell)));
      const line = Math.min(rows - 1, Math.max(0, Math.floor(y / cell)));
      return Math.min(shown - 1, line * columns + column);
    },
  };
}
