"""Whether a measured size grows: the slope of a line through its samples, beside what a leak would make of it."""


def slope(points):
    """The slope of the line of least squares through points (x, y); y for each unit of x."""
    points = list(points)
    if len(points) < 2:
        raise ValueError(f"a line wants two points, not {len(points)}")
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    if spread == 0:
        raise ValueError("all points have one x")
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
