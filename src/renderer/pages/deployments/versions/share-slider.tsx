import { Slider } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import classes from './versions.module.css'

const marks = [0, 25, 50, 75, 100].map((value) => ({ value }))
/** Keys pressed one after the other are one change. */
const PAUSE_MS = 350

interface ShareSliderProps {
  /** Of the version, for who cannot see the row. */
  readonly name: string
  /** Percent it gets now. */
  readonly weight: number
  /** Called when it stays where it is; `onRefused` puts it back. */
  readonly onChange: (weight: number, onRefused: () => void) => void
}

/** The share of requests of a split, moved by hand; that of a canary moves by itself. */
export function ShareSlider({ name, weight, onChange }: ShareSliderProps) {
  const [wanted, setWanted] = useState(weight)
  // Another window may change it.
  useEffect(() => setWanted(weight), [weight])
  const send = useDebouncedCallback(
    (value: number) => {
      if (value !== weight) onChange(value, () => setWanted(weight))
    },
    // Whoever moves it and goes elsewhere at once has moved it all the same.
    { delay: PAUSE_MS, flushOnUnmount: true },
  )
  return (
    <div className={classes.weight}>
      <Slider
        className={classes.slider}
        value={wanted}
        onChange={setWanted}
        onChangeEnd={send}
        marks={marks}
        label={null}
        thumbLabel={`Share of requests for ${name}, percent`}
      />
      <span className="es-num">{Number(wanted.toFixed(1))}% of requests</span>
    </div>
  )
}
