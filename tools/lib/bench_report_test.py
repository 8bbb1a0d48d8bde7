#!/usr/bin/env python3
"""Test of bench_report.py."""

import unittest

import bench_report


def costs(*values):
    return [{"cpu_ms": value} for value in values]


class BenchReportTest(unittest.TestCase):

    def test_median_is_not_moved_by_one_slow_round(self):
        self.assertEqual(bench_report.median(costs(3, 900, 1, 2, 4), "cpu_ms"), 3)

    def test_ratio_is_taken_round_by_round(self):
        # The machine was ten times slower in the second round, for both.
        self.assertEqual(bench_report.ratio(costs(2, 20, 2), costs(1, 10, 1), "cpu_ms"), 2)

    def test_ratio_to_nothing_is_a_number(self):
        self.assertEqual(bench_report.ratio(costs(1), costs(0), "cpu_ms"), 1000)

    def test_exponents_of_linear_and_quadratic_growth(self):
        self.assertAlmostEqual(bench_report.exponent([(100, 5), (200, 10), (400, 20)]), 1)
        self.assertAlmostEqual(bench_report.exponent([(100, 1), (200, 4), (400, 16)]), 2)

    def test_doubling_is_the_worst_step(self):
        self.assertAlmostEqual(bench_report.doubling([(1, 1), (2, 2), (4, 8)]), 4)
        self.assertAlmostEqual(bench_report.doubling([(1, 1), (4, 9)]), 3)

    def test_budgets(self):
        self.assertTrue(bench_report.Budget("x", 1.3, 1.3).met)
        self.assertFalse(bench_report.Budget("x", 1.31, 1.3).met)
        self.assertTrue(bench_report.Budget("x", 401, 400, "MB/s", at_least=True).met)
        self.assertFalse(bench_report.Budget("x", 399, 400, "MB/s", at_least=True).met)

    def test_a_missed_budget_is_said(self):
        lines = list(bench_report.budgets_table([bench_report.Budget("start-up", 3.5, 3, "ms"),
                                                 bench_report.Budget("parsing", 500, 400, "MB/s",
                                                                     at_least=True)]))
        self.assertEqual(lines[1], "start-up      3.50      <= 3 ms  MISSED")
        self.assertEqual(lines[2], "parsing     500.00  >= 400 MB/s     met")


if __name__ == "__main__":
    unittest.main()
