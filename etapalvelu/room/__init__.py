"""The program on the room PC: owns the document camera, sends its picture and takes stills. Knows no rules of a session."""

import os

# OpenCV reads these once, when it is first imported: quiet on stderr, and a V4L2 device that stops answering is given up soon.
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
