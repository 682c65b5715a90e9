/**
 * ONNX files by hand: the protobuf wire format (field number and wire type, then a varint, four bytes, or length and bytes)
 * and the few messages of onnx.proto3 that the fixtures need.
 */
const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))])
const text = (value: string) => [...new TextEncoder().encode(value)]
const int = (field: number, value: number) => [...varint(field * 8), ...(value < 0 ? [...int64(value)] : varint(value))]
const bytes = (field: number, value: readonly number[]) => [...varint(field * 8 + 2), ...varint(value.length), ...value]
const float = (field: number, value: number) => [...varint(field * 8 + 5), ...new Uint8Array(Float32Array.of(value).buffer)]

/** A negative varint takes all ten bytes of its 64-bit two's complement. */
function int64(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value))
  const result: number[] = []
  for (; rest >= 0x80n; rest >>= 7n) result.push(Number(rest & 0x7fn) | 0x80)
  return [...result, Number(rest)]
}

const elementTypes = { float32: 1, int32: 6, int64: 7, bool: 9 } as const
export type ElementType = keyof typeof elementTypes
export type Dimension = number | string
export interface Value {
  name: string
  type: ElementType
  shape: readonly Dimension[]
}
type Attribute = number | readonly number[] | Graph | { float: number }

const attributeOf = (name: string, value: Attribute): number[] => {
  if (typeof value === 'number') return [...bytes(1, text(name)), ...int(3, value), ...int(20, 2)]
  if (value instanceof Graph) return [...bytes(1, text(name)), ...bytes(6, value.encode()), ...int(20, 5)]
  if ('float' in value) return [...bytes(1, text(name)), ...float(2, value.float), ...int(20, 1)]
  return [...bytes(1, text(name)), ...value.flatMap((one) => int(8, one)), ...int(20, 7)]
}

const valueInfo = ({ name, type, shape }: Value): number[] => {
  const dimensions = shape.flatMap((size) => bytes(1, typeof size === 'number' ? int(1, size) : bytes(2, text(size))))
  return [...bytes(1, text(name)), ...bytes(2, bytes(1, [...int(1, elementTypes[type]), ...bytes(2, dimensions)]))]
}

/** A graph that grows node by node; `node` returns the name of its first output. */
export class Graph {
  private static count = 0
  private nodes: number[] = []
  private initializers: number[] = []
  constructor(
    readonly inputs: readonly Value[],
    public outputs: readonly Value[] = [],
  ) {}

  node(operator: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}, outputs: readonly string[] = [`v${Graph.count++}`]): string {
    const encoded = Object.entries(attributes).flatMap(([name, value]) => bytes(5, attributeOf(name, value)))
    this.nodes.push(...bytes(1, [...inputs.flatMap((name) => bytes(1, text(name))), ...outputs.flatMap((name) => bytes(2, text(name))), ...bytes(4, text(operator)), ...encoded]))
    return outputs[0]
  }

  constant(type: 'float32' | 'int32' | 'int64' | 'bool', shape: readonly number[], values: readonly number[], name = `c${Graph.count++}`): string {
    const data = { float32: () => Float32Array.from(values).buffer, int32: () => Int32Array.from(values).buffer, int64: () => BigInt64Array.from(values, BigInt).buffer, bool: () => Uint8Array.from(values).buffer }[type]()
    this.initializers.push(...bytes(5, [...shape.flatMap((size) => int(1, size)), ...int(2, elementTypes[type]), ...bytes(8, text(name)), ...bytes(9, [...new Uint8Array(data)])]))
    return name
  }

  /** A float32 weight that lies in another file. */
  external(name: string, shape: readonly number[], location: string, offset: number, length: number): string {
    const entries = Object.entries({ location, offset, length }).flatMap(([key, value]) => bytes(13, [...bytes(1, text(key)), ...bytes(2, text(String(value)))]))
    this.initializers.push(...bytes(5, [...shape.flatMap((size) => int(1, size)), ...int(2, 1), ...bytes(8, text(name)), ...entries, ...int(14, 1)]))
    return name
  }

  encode(): number[] {
    return [
      ...this.nodes,
      ...bytes(2, text('graph')),
      ...this.initializers,
      ...this.inputs.flatMap((value) => bytes(11, valueInfo(value))),
      ...this.outputs.flatMap((value) => bytes(12, valueInfo(value))),
    ]
  }

  /** The file: IR 10, opset 21. */
  file(): Uint8Array {
    return Uint8Array.from([...int(1, 10), ...bytes(7, this.encode()), ...bytes(8, int(2, 21))])
  }
}
