/** What decides how a drawn element looks; classes and variables do not exist in a picture of its own. */
const properties = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'stroke-linejoin',
  'opacity',
  'font-size',
  'font-family',
  'font-weight',
  'text-anchor',
  'paint-order',
  'image-rendering',
] as const

/** Pixels a CSS pixel, so that a copy is sharp in a document. */
const SCALE = 2
const TITLE_HEIGHT = 30
const MARGIN = 12

/**
 * A chart as a PNG picture with its title, on the colour of the panel. Elements marked `data-transient` (cursor) are left out; text beside
 * the drawings is taken where it is marked `data-chart-text`.
 * @param plot what holds the drawings
 * @throws Error when the browser cannot draw it
 */
export async function chartImage(plot: HTMLElement, title: string): Promise<Blob> {
  const box = plot.getBoundingClientRect()
  const width = box.width + 2 * MARGIN
  const height = box.height + TITLE_HEIGHT + MARGIN
  const page = getComputedStyle(document.documentElement)
  const canvas = document.createElement('canvas')
  canvas.width = width * SCALE
  canvas.height = height * SCALE
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no drawing surface')
  context.scale(SCALE, SCALE)
  context.fillStyle = page.getPropertyValue('--es-panel').trim()
  context.fillRect(0, 0, width, height)
  context.fillStyle = page.getPropertyValue('--es-text').trim()
  context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`
  context.fillText(title, MARGIN, 20, width - 2 * MARGIN)
  context.translate(MARGIN - box.left, TITLE_HEIGHT - box.top)
  for (const svg of plot.querySelectorAll<SVGSVGElement>('svg')) {
    const { left, top } = svg.getBoundingClientRect()
    if (svg.ownerSVGElement === null) context.drawImage(await loadImage(standaloneSvg(svg)), left, top)
  }
  for (const element of plot.querySelectorAll<HTMLElement>('[data-chart-text]')) {
    const { left, top, width: room, height: line } = element.getBoundingClientRect()
    const style = getComputedStyle(element)
    context.fillStyle = style.color
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`
    context.textBaseline = 'middle'
    context.fillText(element.textContent ?? '', left, top + line / 2, Math.max(1, room))
  }
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be encoded'))), 'image/png'),
  )
}

/** The chart as a document that needs nothing around it. */
function standaloneSvg(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement
  const originals = [svg, ...svg.querySelectorAll('*')]
  const copies = [copy, ...copy.querySelectorAll('*')]
  originals.forEach((original, index) => {
    const target = copies[index]
    if (!target) return
    const style = getComputedStyle(original)
    for (const property of properties) target.setAttribute(property, style.getPropertyValue(property))
    target.removeAttribute('style')
    target.removeAttribute('class')
  })
  for (const transient of copy.querySelectorAll('[data-transient]')) transient.remove()
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  copy.setAttribute('width', String(svg.width.baseVal.value))
  copy.setAttribute('height', String(svg.height.baseVal.value))
  return new XMLSerializer().serializeToString(copy)
}

async function loadImage(markup: string): Promise<HTMLImageElement> {
  const image = new Image()
  // A data address: the content security policy allows no other kind of picture made here.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(markup)}`
  await image.decode()
  return image
}
