/** Columns and rows that a picture is shrunk to: 8 differences of neighbours in each of 8 rows. */
const WIDTH = 9
const HEIGHT = 8
/** A picture whose cells differ by less than this share of its range of values (bytes: 8 of 255) shows nothing to compare. */
const FLAT = 8 / 255

/**
 * Difference hash of a picture: 64 bits that hardly change when it is resized, recompressed or brightened. Shrunk to 9 × 8 means of areas, each
 * bit says whether a cell is brighter than its left neighbour. Source: N. Krawetz, "Kind of Like That", hackerfactor.com, 2013.
 *
 * @param brightness one value a pixel, row by row
 * @param range largest minus smallest value that is possible (255 for bytes)
 * @returns the bits of the rows 0–3 and 4–7; both 0 for a picture of a single tone, which looks like every other such
 */
export function differenceHash(brightness: ArrayLike<number>, width: number, height: number, range: number): [number, number] {
  const cells = areaMeans(brightness, width, height)
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const cell of cells) {
    if (cell < least) least = cell
    if (cell > most) most = cell
  }
  if (!(most - least >= FLAT * range)) return [0, 0]
  const words: [number, number] = [0, 0]
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH - 1; x++) {
      const [left, right] = [cells[y * WIDTH + x] as number, cells[y * WIDTH + x + 1] as number]
      const word = y < HEIGHT / 2 ? 0 : 1
      words[word] = ((words[word] << 1) | (right > left ? 1 : 0)) >>> 0
    }
  }
  return words
}

/** Mean brightness of the 9 × 8 areas; each pixel counts for the area its centre lies in, and tiny pictures repeat pixels. */
function areaMeans(brightness: ArrayLike<number>, width: number, height: number): Float64Array {
  const means = new Float64Array(WIDTH * HEIGHT)
  for (let cy = 0; cy < HEIGHT; cy++) {
    const [top, bottom] = span(cy, HEIGHT, height)
    for (let cx = 0; cx < WIDTH; cx++) {
      const [left, right] = span(cx, WIDTH, width)
      let sum = 0
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += brightness[y * width + x] as number
      means[cy * WIDTH + cx] = sum / ((bottom - top) * (right - left))
    }
  }
  return means
}

function span(cell: number, cells: number, size: number): [number, number] {
  const from = Math.min(size - 1, Math.floor((cell * size) / cells))
  return [from, Math.max(from + 1, Math.min(size, Math.floor(((cell + 1) * size) / cells)))]
}
