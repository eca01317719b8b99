"""SummaryWriter: scalars, histograms, images, texts and hyperparameters in event files."""

from __future__ import annotations

import io
import os
import socket
import time
from datetime import datetime
from typing import Any

import numpy as np

import kagari

__all__ = ["SummaryWriter"]


def _require() -> Any:
    try:
        import tensorboard
    except ImportError as error:
        raise ImportError(
            "utils.tensorboard: the package tensorboard is not installed; pip install tensorboard"
        ) from error
    return tensorboard


def _array(value: Any) -> Any:
    if isinstance(value, kagari.Tensor):
        return value.detach().cpu().numpy()
    return np.asarray(value)


class SummaryWriter:
    """Writes what a training run tells into files that TensorBoard shows.

    Args:
        log_dir (str, optional): the folder; ``runs/DATE_HOST`` with the comment by default.
        comment (str): the end of the default folder's name.
        purge_step (int, optional): what was written from this step on is hidden.
        max_queue (int): events kept before they are written.
        flush_secs (int): seconds after which they are written anyway.
        filename_suffix (str): the end of the files' names.

    Raises:
        ImportError: the package tensorboard is not installed.

    Reference: https://pytorch.org/docs/stable/tensorboard.html
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        _require()
        if not log_dir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir = str(log_dir)
        self._options = (max_queue, flush_secs, filename_suffix)
        self._writer: Any = None
        self._others: dict[str, SummaryWriter] = {}
        self._open()
        if purge_step is not None:
            from tensorboard.compat.proto.event_pb2 import Event, SessionLog

            self._add(Event(step=purge_step, file_version="brain.Event:2"))
            self._add(Event(step=purge_step, session_log=SessionLog(status=SessionLog.START)))

    def _open(self) -> Any:
        if self._writer is None:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter

            self._writer = EventFileWriter(self.log_dir, *self._options)
        return self._writer

    def _add(self, event: Any, step: Any = None, walltime: float | None = None) -> None:
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self._open().add_event(event)

    def _summary(self, value: Any, step: Any, walltime: float | None) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add(Event(summary=Summary(value=[value])), step, walltime)

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Writes a number.

        Args:
            tag (str): its name.
            scalar_value (float or Tensor of one element): the number.
            global_step (int, optional): when in the training.
            walltime (float, optional): seconds since 1970; now by default.
        """
        from tensorboard.compat.proto.summary_pb2 import Summary

        number = float(_array(scalar_value).reshape(()))
        self._summary(Summary.Value(tag=tag, simple_value=number), global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: dict[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Writes several numbers, each into a folder of its own, so that one chart shows them."""
        for tag, number in tag_scalar_dict.items():
            folder = os.path.join(self.log_dir, f"{main_tag.replace('/', '_')}_{tag}")
            if folder not in self._others:
                self._others[folder] = SummaryWriter(folder)
            self._others[folder].add_scalar(main_tag, number, global_step, walltime)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Writes how values are distributed.

        Args:
            tag (str): its name.
            values (Tensor or array): any shape.
            global_step (int, optional): when in the training.
            bins (str or sequence): NumPy's ``bins``, or ``"tensorflow"``: 64 of equal width.
            walltime (float, optional): seconds since 1970; now by default.
            max_bins (int, optional): at most this many of equal width.

        Raises:
            ValueError: no values.
        """
        from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

        x = _array(values).astype(np.float64).reshape(-1)
        if x.size == 0:
            raise ValueError("add_histogram: expected at least one value")
        counts, limits = np.histogram(x, bins=64 if bins == "tensorflow" else bins)
        if max_bins is not None and len(counts) > max_bins:
            counts, limits = np.histogram(x, bins=max_bins)
        histogram = HistogramProto(
            min=x.min(),
            max=x.max(),
            num=x.size,
            sum=x.sum(),
            sum_squares=float(x @ x),
            bucket_limit=limits[1:].tolist(),
            bucket=counts.tolist(),
        )
        self._summary(Summary.Value(tag=tag, histo=histogram), global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Writes a picture.

        Args:
            tag (str): its name.
            img_tensor (Tensor or array): uint8, or numbers between 0 and 1.
            global_step (int, optional): when in the training.
            walltime (float, optional): seconds since 1970; now by default.
            dataformats (str): ``CHW``, ``HWC``, ``HW``: the order of its dimensions.

        Raises:
            ImportError: Pillow, which writes PNG, is not installed.
            ValueError: dimensions that do not fit the format.
        """
        from tensorboard.compat.proto.summary_pb2 import Summary

        try:
            from PIL import Image
        except ImportError as error:
            raise ImportError("add_image: Pillow is not installed; pip install pillow") from error
        image = _array(img_tensor)
        order = dataformats.upper()
        if image.ndim != len(order):
            raise ValueError(
                f"add_image: expected the dimensions {order}, got an array of shape {image.shape}"
            )
        if image.dtype != np.uint8:
            image = (image * 255.0).clip(0, 255).astype(np.uint8)
        if "C" in order:
            image = image.transpose([order.index(c) for c in "HWC"])
            image = image[..., 0] if image.shape[-1] == 1 else image
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, format="PNG")
        picture = Summary.Image(
            height=image.shape[0],
            width=image.shape[1],
            colorspace=1 if image.ndim == 2 else image.shape[2],
            encoded_image_string=stream.getvalue(),
        )
        self._summary(Summary.Value(tag=tag, image=picture), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Writes a batch of pictures side by side; see ``add_image``."""
        images = _array(img_tensor)
        order = dataformats.upper()
        images = images.transpose([order.index(c) for c in "NHWC"])
        row = np.concatenate(list(images), axis=1)
        self.add_image(tag, row, global_step, walltime, "HWC")

    def add_figure(
        self,
        tag: str,
        figure: Any,
        global_step: int | None = None,
        close: bool = True,
        walltime: float | None = None,
    ) -> None:
        """Writes a figure of matplotlib, or several, as pictures."""
        for one in figure if isinstance(figure, list) else [figure]:
            one.canvas.draw()
            image = np.asarray(one.canvas.buffer_rgba())[..., :3]
            self.add_image(tag, image, global_step, walltime, "HWC")
            if close:
                import matplotlib.pyplot as plt

                plt.close(one)

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Writes a text, which is shown as Markdown."""
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

        content = TensorProto(
            dtype="DT_STRING",
            string_val=[text_string.encode()],
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        )
        value = Summary.Value(
            tag=f"{tag}/text_summary",
            metadata=SummaryMetadata(
                plugin_data=SummaryMetadata.PluginData(plugin_name="text", content=b"")
            ),
            tensor=content,
        )
        self._summary(value, global_step, walltime)

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: Any = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """Writes a run's settings and what they led to, as one row of TensorBoard's table."""
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.plugins.hparams import summary_v2 as hp

        settings = {
            name: value.item() if isinstance(value, kagari.Tensor) else value
            for name, value in hparam_dict.items()
        }
        folder = os.path.join(self.log_dir, run_name or str(time.time()))
        with SummaryWriter(folder) as writer:
            metrics = [hp.Metric(name) for name in metric_dict]
            names = [hp.HParam(name) for name in settings]
            writer._add(Event(summary=hp.hparams_config_pb(names, metrics)))
            writer._add(Event(summary=hp.hparams_pb(settings)))
            for name, value in metric_dict.items():
                writer.add_scalar(name, value, global_step)

    def add_graph(self, *args: Any, **kwargs: Any) -> None:
        """Would draw a model's graph.

        Raises:
            NotImplementedError: always; kagari records no graphs of programs.
        """
        raise NotImplementedError("add_graph: kagari records no graphs of programs to draw")

    def flush(self) -> None:
        """Writes what is kept."""
        for writer in [self, *self._others.values()]:
            if writer._writer is not None:
                writer._writer.flush()

    def close(self) -> None:
        """Writes what is kept and closes the files; more opens new ones."""
        for writer in [self, *self._others.values()]:
            if writer._writer is not None:
                writer._writer.flush()
                writer._writer.close()
                writer._writer = None

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()
