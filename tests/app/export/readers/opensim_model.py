"""Run by a Python that has opensim: fit a model to markers by OpenSim's inverse kinematics, and apply a motion to it.

    python opensim_model.py MARKERS.trc MOTION.mot RESULT.json

The wheel brings no model, so one is built here: rigid segments with the joints, coordinates, axes and signs of
Rajagopal's model, without muscles, scaled to the median lengths of the markers. Results are metres.
"""

import json
import sys
from pathlib import Path

import numpy as np
import opensim as osim

RANGES = {
    "knee_angle": (0.0, 155.0),
    "elbow_flex": (0.0, 150.0),
    "hip_rotation": (-90.0, 90.0),
    "arm_rot": (-120.0, 120.0),
}
"""Degrees, as a model without limits may bend knees forward."""
X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def read_trc(path: Path) -> dict[str, np.ndarray]:
    """The times, and the places of each marker, as OpenSim reads them."""
    table = osim.TimeSeriesTableVec3(str(path))
    rows = [table.getRowAtIndex(frame) for frame in range(table.getNumRows())]
    values = np.array([[[row[k][axis] for axis in range(3)] for k in range(table.getNumColumns())] for row in rows])
    places = {name: values[:, k] for k, name in enumerate(table.getColumnLabels())}
    return {"time": np.array(table.getIndependentColumn()), **places}


def length(places: dict[str, np.ndarray], first: str, second: str) -> float:
    return float(np.median(np.linalg.norm(places[first] - places[second], axis=-1)))


class Builder:
    def __init__(self) -> None:
        self.model = osim.Model()
        self.model.setName("scaled")
        self.bodies = {"ground": self.model.getGround()}

    def add(
        self, name: str, parent: str, place: tuple[float, ...], axes: dict[str, tuple[float, ...]], moves: bool = False
    ) -> None:
        body = osim.Body(name, 1.0, osim.Vec3(0), osim.Inertia(0.1, 0.1, 0.1))
        transform = osim.SpatialTransform()
        turns = list(axes.items())
        free = [axis for axis in (X, Y, Z) if axis not in [tuple(map(abs, a)) for _, a in turns]]
        for k in range(3):
            axis = transform.updTransformAxis(k)
            if k < len(turns):
                axis.setCoordinateNames(osim.ArrayStr(turns[k][0], 1))
                axis.setAxis(osim.Vec3(*turns[k][1]))
                axis.set_function(osim.LinearFunction(1, 0))
            else:
                axis.setAxis(osim.Vec3(*free.pop()))
                axis.set_function(osim.Constant(0))
        for k, letter in enumerate("xyz") if moves else ():
            axis = transform.updTransformAxis(3 + k)
            axis.setCoordinateNames(osim.ArrayStr(f"{name}_t{letter}", 1))
            axis.set_function(osim.LinearFunction(1, 0))
        joint = osim.CustomJoint(
            f"{name}_joint",
            self.bodies[parent],
            osim.Vec3(*place),
            osim.Vec3(0),
            body,
            osim.Vec3(0),
            osim.Vec3(0),
            transform,
        )
        self.model.addBody(body)
        self.model.addJoint(joint)
        self.bodies[name] = body

    def mark(self, name: str, body: str, place: tuple[float, ...] = (0.0, 0.0, 0.0)) -> None:
        self.model.addMarker(osim.Marker(name, self.bodies[body], osim.Vec3(*place)))


def build(m: dict[str, np.ndarray]) -> osim.Model:
    b = Builder()
    b.add("pelvis", "ground", (0, 0, 0), {"pelvis_tilt": Z, "pelvis_list": X, "pelvis_rotation": Y}, moves=True)
    b.mark("Hip", "pelvis")
    trunk = length(m, "Hip", "Neck")
    b.add("torso", "pelvis", (0, 0, 0), {"lumbar_extension": Z, "lumbar_bending": X, "lumbar_rotation": Y})
    b.mark("Neck", "torso", (0, trunk, 0))
    b.add("head", "torso", (0, trunk, 0), {"neck_extension": Z, "neck_bending": X, "neck_rotation": Y})
    b.mark("Head", "head", (0, length(m, "Neck", "Head"), 0))
    width = length(m, "RShoulder", "LShoulder") / 2
    middle = (m["RShoulder"] + m["LShoulder"]) / 2
    drop = trunk - float(np.median(np.linalg.norm(middle - m["Hip"], axis=-1)))
    for side, sign in (("R", 1.0), ("L", -1.0)):
        end, out, turn = side.lower(), (sign, 0, 0), (0, sign, 0)
        b.add(f"femur_{end}", "pelvis", (0, 0, sign * length(m, "RHip", "LHip") / 2),
              {f"hip_flexion_{end}": Z, f"hip_adduction_{end}": out, f"hip_rotation_{end}": turn})  # fmt: skip
        thigh, shank = length(m, f"{side}Hip", f"{side}Knee"), length(m, f"{side}Knee", f"{side}Ankle")
        b.add(f"tibia_{end}", f"femur_{end}", (0, -thigh, 0), {f"knee_angle_{end}": (0, 0, -1.0)})
        b.add(f"calcn_{end}", f"tibia_{end}", (0, -shank, 0), {f"ankle_angle_{end}": Z})
        heel, toe = length(m, f"{side}Ankle", f"{side}Heel"), length(m, f"{side}Ankle", f"{side}BigToe")
        base = length(m, f"{side}Heel", f"{side}BigToe")
        back = (base**2 + heel**2 - toe**2) / (2 * base)
        height = np.sqrt(max(heel**2 - back**2, 0))
        b.mark(f"{side}Hip", f"femur_{end}")
        b.mark(f"{side}Knee", f"tibia_{end}")
        b.mark(f"{side}Ankle", f"calcn_{end}")
        b.mark(f"{side}Heel", f"calcn_{end}", (-back, -height, 0))
        b.mark(f"{side}BigToe", f"calcn_{end}", (base - back, -height, 0))
        b.add(f"humerus_{end}", "torso", (0, trunk - drop, sign * width),
              {f"arm_flex_{end}": Z, f"arm_add_{end}": out, f"arm_rot_{end}": turn})  # fmt: skip
        b.add(
            f"ulna_{end}",
            f"humerus_{end}",
            (0, -length(m, f"{side}Shoulder", f"{side}Elbow"), 0),
            {f"elbow_flex_{end}": Z},
        )
        b.mark(f"{side}Shoulder", f"humerus_{end}")
        b.mark(f"{side}Elbow", f"ulna_{end}")
        b.mark(f"{side}Wrist", f"ulna_{end}", (0, -length(m, f"{side}Elbow", f"{side}Wrist"), 0))
    b.model.finalizeConnections()
    for name, (least, most) in RANGES.items():
        for end in "rl":
            coordinate = b.model.getCoordinateSet().get(f"{name}_{end}")
            coordinate.setRangeMin(np.radians(least))
            coordinate.setRangeMax(np.radians(most))
            coordinate.setDefaultClamped(True)
    return b.model


def inverse_kinematics(model: osim.Model, trc: Path, folder: Path, times: np.ndarray) -> Path:
    model.initSystem()
    tool, tasks = osim.InverseKinematicsTool(), osim.IKTaskSet()
    for k in range(model.getMarkerSet().getSize()):
        task = osim.IKMarkerTask()
        task.setName(model.getMarkerSet().get(k).getName())
        task.setApply(True)
        task.setWeight(1.0)
        tasks.cloneAndAppend(task)
    tool.setModel(model)
    tool.setMarkerDataFileName(str(trc))
    tool.set_IKTaskSet(tasks)
    tool.setStartTime(float(times[0]))
    tool.setEndTime(float(times[-1]))
    motion = folder / "ik.mot"
    tool.setOutputMotionFileName(str(motion))
    tool.setResultsDir(str(folder))
    tool.run()
    return motion


def marker_distances(model: osim.Model, motion: Path, places: dict[str, np.ndarray]) -> np.ndarray:
    """The distance of each marker of the model, moved by a motion in degrees, from the measured one (T, M)."""
    state = model.initSystem()
    table = osim.TimeSeriesTable(str(motion))
    columns, out = {name: k for k, name in enumerate(table.getColumnLabels())}, []
    markers = [model.getMarkerSet().get(k) for k in range(model.getMarkerSet().getSize())]
    coordinates = [model.getCoordinateSet().get(k) for k in range(model.getCoordinateSet().getSize())]
    for frame in range(table.getNumRows()):
        row = table.getRowAtIndex(frame)
        for one in coordinates:
            if one.getName() in columns:
                value = row[columns[one.getName()]]
                one.setValue(
                    state, np.radians(value) if one.getMotionType() == osim.Coordinate.Rotational else value, False
                )
        model.realizePosition(state)
        found = [[m.getLocationInGround(state)[k] for k in range(3)] for m in markers]
        seen = [places[m.getName()][frame] for m in markers]
        out.append(np.linalg.norm(np.array(found) - np.array(seen), axis=-1))
    return np.array(out)


def angle_differences(first: Path, second: Path) -> dict[str, float]:
    """The mean absolute difference of each coordinate of two motions, degrees."""
    tables = [osim.TimeSeriesTable(str(path)) for path in (first, second)]
    values = [{name: t.getDependentColumn(name).to_numpy() for name in t.getColumnLabels()} for t in tables]
    return {name: float(np.abs(values[0][name] - values[1][name]).mean()) for name in values[0] if name in values[1]}


def main(trc: Path, mot: Path, result: Path) -> None:
    places = read_trc(trc)
    fitted = inverse_kinematics(build(places), trc, result.parent, places["time"])
    facts = {"angles": angle_differences(fitted, mot)}
    for name, motion in (("inverse_kinematics", fitted), ("motion", mot)):
        apart = marker_distances(build(places), motion, places)
        rms = np.sqrt((apart**2).mean(1))
        facts[name] = {"frames": len(apart), "rms": float(np.sqrt((apart**2).mean())), "worst_frame": float(rms.max())}
    result.write_text(json.dumps(facts))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
