"""Bodies that stand still, as a live analysis lifts them."""

import numpy as np

from benchmarks.bodies.live_bodies import lifted, means
from benchmarks.bodies.still_views import RATE, SIZE, VIEWS
from kinelift.lifting.causal import CausalLifter
from kinelift.poses.camera import DEFAULT_FIELD_OF_VIEW, Camera
from tests.benchmarks.bodies.test_straight_bodies import answer
from tests.lifting.test_stream import causal


def test_every_frame_is_lifted_from_the_past() -> None:
    network, random = causal(rate=20.0), np.random.default_rng(0)
    camera = Camera.from_field_of_view(DEFAULT_FIELD_OF_VIEW, SIZE)
    points = random.uniform(200, 500, (1, 17, 2)) + random.normal(0, 2, (12, 17, 2))
    poses, expected = lifted(CausalLifter(network, camera, SIZE), network, points), CausalLifter(network, camera, SIZE)
    for k, frame in enumerate(points):
        np.testing.assert_array_equal(poses.points[k], expected.push(k / RATE, frame).points)


def test_means_are_of_both_sides_and_all_views() -> None:
    answers = [answer(view, {}, knee=10.0 + 2 * (k % 2), elbow=5.0) for k, view in enumerate(VIEWS)]
    assert means(answers) == {"knee": 11.0, "elbow": 5.0}
