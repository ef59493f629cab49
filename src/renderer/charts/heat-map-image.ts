import type { HeatMapColor } from './heat-map.tsx'

/** A picture of one pixel a cell, as a data address. The strength becomes opacity, so that it fits any background. */
export function heatMapImage(
  rows: number,
  columns: number,
  cell: (row: number, column: number) => { readonly strength: number; readonly color: HeatMapColor },
): string {
  const canvas = document.createElement('canvas')
  canvas.width = columns
  canvas.height = rows
  const context = canvas.getContext('2d')
  if (!context || rows === 0 || columns === 0) return ''
  const style = getComputedStyle(document.documentElement)
  const palette = new Map<HeatMapColor, readonly [number, number, number]>()
  const picture = context.createImageData(columns, rows)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const { strength, color } = cell(row, column)
      const known = palette.get(color)
      const rgb = known ?? hexColor(style.getPropertyValue(color))
      if (!known) palette.set(color, rgb)
      picture.data.set([...rgb, Math.round(255 * Math.min(1, Math.max(0, strength)))], (row * columns + column) * 4)
    }
  }
  context.putImageData(picture, 0, 0)
  return canvas.toDataURL('image/png')
}

/** `#0b7285` → [11, 114, 133]; anything else is grey. */
export function hexColor(text: string): [number, number, number] {
  const digits = /^#([0-9a-f]{6})$/i.exec(text.trim())?.[1]
  if (!digits) return [128, 128, 128]
  return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)) as [number, number, number]
}
