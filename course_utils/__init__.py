"""The package behind the notebooks of the course on medical image segmentation.

Its rooms, from the ground floor up; a module imports from its own room and from those above it in this table,
never from one below it (a test reads the imports):

==================  ====================================================================================
``files`` ``paths`` writing files so that nothing is lost; where data, trainings and pages lie
``threads``         computing beside other programs
``losses``          what a training minimises; functions of tensors
``metrics``         what an evaluation measures; functions of arrays
``receptive_field`` which inputs an output depends on: chains of layers, any network
``tiling``          predicting an image tile by tile, with any network
``networks``        one module a paper
``phantom``         the synthetic cohort: brains, tumours, MR signals, a scanner's faults
``cohort``          cases on disk, labels and regions, preparation, splits, batches, augmentation
``identity``        whether two functions or networks are the same, also in another process
``training``        the visible loop: it can be stopped at any moment and continues exactly
``prediction``      whole cases, on the grid of the scan
``evaluation``      case and cohort reports
``figures``         the look of the course: slices, planes, matrices, curves, sliders, the viewer
``interactive``     the drawings and sliders of single notebooks, one module a topic
``checking``        the machine behind the exercises, free of any topic
``checks``          the exercises, one module a topic: oracle, hints, why each wrong answer is wrong
``bootstrap``       the first cell of every notebook
``doctor``          what works on this machine and what does not
``workplace``       the student's copies of the notebooks, opened in JupyterLab
``publishing``      from a notebook's source to what students open; running; pages
``__main__``        one command for all of it: ``python -m course_utils``
==================  ====================================================================================

Importing the package is instant: nothing heavy is loaded until a module is asked for by name, for example
``from course_utils import cohort``.
"""

__version__ = "0.1.0"
