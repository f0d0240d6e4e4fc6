import "@mantine/charts/styles.css";
import { BarChart, LineChart } from "@mantine/charts";
import { useReducedMotion } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import type { ChartPoint } from "./chart-data";
import classes from "./charts.module.css";

const HEIGHT = "16rem";
const SUCCESS = "light-dark(#0f8a6c, #2aa381)";
const TIMEOUTS = "light-dark(#e3a02f, #f0bc5e)";
const FAILURES = "light-dark(#c9424e, #e0616c)";
const TYPICAL = "light-dark(#175f92, #6cb8ee)";
const SLOW = "light-dark(#8a4fb0, #c39be0)";

/** How photos ended over time, as stacked bars. A chunk of its own: the chart library is large. */
export function OutcomesChart({ points }: { points: readonly ChartPoint[] }) {
  const { t, i18n } = useTranslation("statistics");
  const animate = !useReducedMotion();
  return (
    <BarChart
      h={HEIGHT}
      className={classes["chart"] ?? ""}
      data={[...points]}
      dataKey="time"
      type="stacked"
      withLegend
      tickLine="none"
      gridAxis="x"
      yAxisProps={{ allowDecimals: false, width: 40 }}
      barProps={{ isAnimationActive: animate, maxBarSize: 28 }}
      valueFormatter={(value) => new Intl.NumberFormat(i18n.language).format(value)}
      series={[
        { name: "success", label: t("charts.success"), color: SUCCESS },
        { name: "timeouts", label: t("charts.timeouts"), color: TIMEOUTS },
        { name: "failures", label: t("charts.failures"), color: FAILURES },
      ]}
    />
  );
}

/** How long photos took over time, in seconds. Steps without a picture break the lines. */
export function DurationsChart({ points }: { points: readonly ChartPoint[] }) {
  const { t, i18n } = useTranslation("statistics");
  const animate = !useReducedMotion();
  return (
    <LineChart
      h={HEIGHT}
      className={classes["chart"] ?? ""}
      data={[...points]}
      dataKey="time"
      withLegend
      connectNulls={false}
      curveType="monotone"
      tickLine="none"
      gridAxis="x"
      yAxisProps={{ width: 40 }}
      lineProps={{ isAnimationActive: animate }}
      valueFormatter={(value) => new Intl.NumberFormat(i18n.language).format(value)}
      series={[
        { name: "p50", label: t("charts.p50"), color: TYPICAL },
        { name: "p95", label: t("charts.p95"), color: SLOW, strokeDasharray: "6 4" },
      ]}
    />
  );
}
