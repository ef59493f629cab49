import type { MantineColorsTuple } from '@mantine/core'

/** Accent: a blue-green that stays apart from the green, amber and red that carry meaning. */
export const petrol: MantineColorsTuple = [
  '#e6f6f8',
  '#cfe9ee',
  '#a2d4dd',
  '#70bccb',
  '#48a7ba',
  '#137c91',
  '#0b7285',
  '#086274',
  '#045263',
  '#003f4d',
]

/** Red of refusals and removals; index 6 is the light, 5 the dark scheme's. */
export const red: MantineColorsTuple = [
  '#fdeceb',
  '#f9d5d3',
  '#f2a9a5',
  '#ea7a74',
  '#dd5650',
  '#c73f39',
  '#b3261e',
  '#951d16',
  '#781710',
  '#5c110b',
]

/** Cool greys of the light scheme. */
export const gray: MantineColorsTuple = [
  '#f7f8f9',
  '#eff2f4',
  '#e4e8eb',
  '#d5dbe0',
  '#c2cad1',
  '#9aa5ae',
  '#7a868f',
  '#5a666f',
  '#39434b',
  '#1c2328',
]

/** Greys of the dark scheme: 7 is a panel, 8 the page behind it, 4 a border, 0 text. */
export const dark: MantineColorsTuple = [
  '#dbe2e7',
  '#b6c1ca',
  '#8d9aa5',
  '#5d6a75',
  '#323c44',
  '#2a333a',
  '#222a30',
  '#1a2126',
  '#13181c',
  '#0d1114',
]
