"""What the figures of tools/bench mean: medians, ratios, budgets and growth."""

import math
import statistics

# Doubling what there is to look at may cost so much more, and no exponent may be
# above what that is.
DOUBLING = 2.2
EXPONENT = math.log2(DOUBLING)


def median(costs, what):
    """The median of `what` over the rounds of one command."""
    return statistics.median(cost[what] for cost in costs)


def ratio(costs, others, what):
    """How much more one command takes than another: the median of each round's own
    ratio, since what disturbs one disturbs its neighbour as well."""
    return statistics.median(one[what] / max(other[what], 0.001)
                             for one, other in zip(costs, others))


def exponent(points):
    """The slope of log(cost) over log(size), by least squares; `points` are (size, cost)."""
    xs = [math.log(size) for size, _ in points]
    ys = [math.log(cost) for _, cost in points]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    return (sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys))
            / sum((x - mean_x) ** 2 for x in xs))


def doubling(points):
    """The largest factor that the cost grows by, for each doubling of the size."""
    return max((later / cost) ** (1 / math.log2(larger / size))
               for (size, cost), (larger, later) in zip(points, points[1:]))


class Budget:
    """One line of the table: something measured and the most, or least, that it may be."""

    def __init__(self, name, measured, limit, unit="", at_least=False):
        self.name = name
        self.measured = measured
        self.limit = limit
        self.unit = unit
        self.at_least = at_least

    @property
    def met(self):
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def as_data(self):
        return {"name": self.name, "measured": round(self.measured, 3), "limit": self.limit,
                "unit": self.unit, "at_least": self.at_least, "met": self.met}


def table(headings, rows):
    """Lines of columns: the first left-aligned, the others right-aligned."""
    rows = [headings] + [list(map(str, row)) for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(headings))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield "  ".join(cells).rstrip()


def costs_table(worlds):
    """What each command took in each world."""
    rows = []
    for world in worlds:
        for name, costs in world["commands"].items():
            rows.append(["%s %s: %s" % (world["kind"], world["count"], name),
                         "%.1f" % median(costs, "wall_ms"), "%.1f" % median(costs, "cpu_ms"),
                         "%.1f" % (median(costs, "rss_kib") / 1024)])
    return table(["world: command", "wall ms", "CPU ms", "peak MiB"], rows)


def budgets_table(budgets):
    rows = []
    for budget in budgets:
        bound = "%s %g %s" % (">=" if budget.at_least else "<=", budget.limit, budget.unit)
        rows.append([budget.name, "%.2f" % budget.measured, bound.strip(),
                     "met" if budget.met else "MISSED"])
    return table(["budget", "measured", "allowed", ""], rows)
