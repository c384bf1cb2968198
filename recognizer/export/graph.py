"""An ONNX graph in the making."""

from typing import Any

import numpy as np

from recognizer.errors import RecognizerError

OPSET = (
    17  # of ai.onnx: LayerNormalization is the newest operator that could be wanted; onnxruntime reads it since 1.12
)
IR_VERSION = 9  # that of onnx 1.14: readers refuse files of a newer one than they know


class Graph:
    """Nodes in the order in which they run, with the weights that they take.

    A value is known by its name; every method that adds a node returns the name of what it computes.
    """

    def __init__(self) -> None:
        """Begin with nothing.

        Raises:
            RecognizerError: onnx, which writes the file, is not installed.
        """
        try:
            import onnx
        except ImportError:
            raise RecognizerError("writing ONNX takes the package onnx: pip install 'recognizer[onnx]'") from None
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._constants: dict[tuple[bytes, str, tuple[int, ...]], str] = {}

    def add(self, operator: str, *inputs: str, attributes: dict[str, Any] | None = None) -> str:
        """Append a node with one output."""
        return self.add_many(operator, 1, *inputs, attributes=attributes)[0]

    def add_many(
        self, operator: str, outputs: int, *inputs: str, attributes: dict[str, Any] | None = None
    ) -> list[str]:
        """Append a node with several outputs."""
        number = len(self.nodes)
        names = [f"{operator.lower()}_{number}" + (f"_{i}" if i else "") for i in range(outputs)]
        self.nodes.append(self._onnx.helper.make_node(operator, list(inputs), names, names[0], **(attributes or {})))
        return names

    def output(self, value: str, name: str) -> None:
        """Give a value the name that readers of the file ask for."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [value], [name], name))

    def constant(self, array: "np.ndarray | float", name: str = "constant") -> str:
        """Keep an array in the file; equal ones are kept once. A number of Python becomes float32."""
        array = np.asarray(array, np.float32) if isinstance(array, float) else np.ascontiguousarray(array)
        key = (array.tobytes(), array.dtype.str, array.shape)
        if key not in self._constants:
            self._constants[key] = f"{name}_{len(self.weights)}"
            self.weights.append(self._onnx.numpy_helper.from_array(array, self._constants[key]))
        return self._constants[key]

    def integers(self, *values: int) -> str:
        """Keep a list of int64 numbers."""
        return self.constant(np.array(values, np.int64), "integers")

    def number(self, value: int) -> str:
        """Keep one int64 number, of no dimension."""
        return self.constant(np.array(value, np.int64), "number")

    def reshape(self, x: str, *shape: int) -> str:
        """Reshape; 0 keeps a dimension, -1 is what is left."""
        return self.add("Reshape", x, self.integers(*shape))

    def length(self, x: str, axis: int) -> str:
        """Return the size of an axis as int64 (1,)."""
        return self.add("Shape", x, attributes={"start": axis, "end": axis + 1})

    def slice(self, x: str, axis: int, start: int, end: int) -> str:
        """Return x[start:end] along an axis."""
        return self.add("Slice", x, self.integers(start), self.integers(end), self.integers(axis))

    def pad_axis(self, x: str, axis: int, rank: int, before: str, after: str) -> str:
        """Return x, of `rank` axes, with zeros before and after along one; both are int64 (1,)."""
        zeros = [self.integers(0)] * (2 * rank)
        zeros[axis], zeros[rank + axis] = before, after
        return self.add("Pad", x, self.add("Concat", *zeros, attributes={"axis": 0}))

    def valid(self, counts: str, length: str, axes: list[int]) -> str:
        """Return float32 1 before each of counts (N,) and 0 behind, (N, length) with further axes of size 1.

        Args:
            counts: int64 (N,).
            length: int64 (1,).
            axes: where axes of size 1 are put into the result.
        """
        place = self.add("Range", self.number(0), self.add("Squeeze", length), self.number(1))
        mask = self.add("Less", self.add("Unsqueeze", place, self.integers(0)), self.column(counts))
        mask = self.add("Cast", mask, attributes={"to": self._onnx.TensorProto.FLOAT})
        return self.add("Unsqueeze", mask, self.integers(*axes)) if axes else mask

    def column(self, counts: str) -> str:
        """Return (N, 1) of (N,)."""
        return self.add("Unsqueeze", counts, self.integers(1))

    def ceiling(self, counts: str, by: int) -> str:
        """Return counts / by, rounded up."""
        if by == 1:
            return counts
        return self.add("Div", self.add("Add", counts, self.number(by - 1)), self.number(by))

    def to_float(self, x: str) -> str:
        """Return x as float32."""
        return self.add("Cast", x, attributes={"to": self._onnx.TensorProto.FLOAT})

    def to_int32(self, x: str) -> str:
        """Return x as int32."""
        return self.add("Cast", x, attributes={"to": self._onnx.TensorProto.INT32})

    def file(self, inputs: list[tuple[str, Any, list[Any]]], outputs: list[tuple[str, Any, list[Any]]]) -> Any:
        """Return the whole as an onnx.ModelProto, checked; inputs and outputs are (name, numpy type, shape)."""
        helper, checker = self._onnx.helper, self._onnx.checker

        def described(values: list[tuple[str, Any, list[Any]]]) -> list[Any]:
            kinds = [helper.np_dtype_to_tensor_dtype(np.dtype(kind)) for _, kind, _ in values]
            pairs = zip(values, kinds, strict=True)
            return [helper.make_tensor_value_info(name, kind, shape) for (name, _, shape), kind in pairs]

        graph = helper.make_graph(self.nodes, "recognizer", described(inputs), described(outputs), self.weights)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], producer_name="recognizer", ir_version=IR_VERSION)
        checker.check_model(model, full_check=True)
        return model
