import { useEffect, useRef } from 'react'
import type { Picture } from '../../contract/dataset.ts'
import classes from './picture-canvas.module.css'

interface PictureCanvasProps {
  readonly picture: Picture
  /** What it shows, for those who do not see it; null where text beside it says so already. */
  readonly label: string | null
}

/** A picture of a sample, as large as its box and with its own shape; single pixels stay visible. */
export function PictureCanvas({ picture, label }: PictureCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || picture.width < 1 || picture.height < 1) return
    const image = context.createImageData(picture.width, picture.height)
    image.data.set(picture.rgba.subarray(0, image.data.length))
    context.putImageData(image, 0, 0)
  }, [picture])
  const name = label === null ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label }
  return <canvas ref={canvas} className={classes.picture} width={picture.width} height={picture.height} {...name} />
}
