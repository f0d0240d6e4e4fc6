import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconAlertTriangle, IconLock, IconUser } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { answer, api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { setCsrfToken } from "@/api/session";
import { returnAddress } from "@/app/addresses";
import { minutesAndSeconds, useCountdown } from "@/components/countdown";
import { describeError } from "@/components/describe-error";

/** Asks for name and password, signs in, and leads to where the visitor wanted to go. */
export function LoginForm() {
  const { t } = useTranslation("login");
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const password = useRef<HTMLInputElement>(null);
  const [throttledUntil, setThrottledUntil] = useState<number | null>(null);
  const wait = useCountdown(throttledUntil);
  const form = useForm({
    mode: "uncontrolled",
    initialValues: { username: "", password: "" },
    validate: {
      username: (value) => (value.trim() ? null : t("usernameMissing")),
      password: (value) => (value ? null : t("passwordMissing")),
    },
  });

  const signIn = useMutation({
    mutationFn: (values: { username: string; password: string }) =>
      answer(api.POST("/api/login", { body: { ...values, username: values.username.trim() } })),
    onSuccess: async (session) => {
      setCsrfToken("csrf_token" in session ? session.csrf_token : null);
      await navigate(returnAddress(search), { replace: true });
    },
    onError: (error) => {
      if (error instanceof ApiError && error.reason === "throttled" && error.retryAfter) {
        setThrottledUntil(Date.now() + error.retryAfter * 1000);
      }
      password.current?.select();
    },
  });
  const problem =
    wait > 0 ? t("throttled", { time: minutesAndSeconds(wait) }) : problemOf(signIn.error, t("wrong"));

  return (
    <form
      method="post"
      noValidate
      onSubmit={form.onSubmit(
        (values) => signIn.mutate(values),
        (_, values) => form.getInputNode(values.username.trim() ? "password" : "username")?.focus(),
      )}
    >
      <Stack gap="md">
        <TextInput
          label={t("username")}
          name="username"
          size="md"
          radius="xl"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
          data-autofocus
          autoFocus
          leftSection={<IconUser size={18} stroke={1.7} aria-hidden />}
          key={form.key("username")}
          {...form.getInputProps("username")}
        />
        <PasswordInput
          ref={password}
          label={t("password")}
          name="password"
          size="md"
          radius="xl"
          autoComplete="current-password"
          maxLength={1024}
          leftSection={<IconLock size={18} stroke={1.7} aria-hidden />}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword"), tabIndex: 0 }}
          key={form.key("password")}
          {...form.getInputProps("password")}
        />
        {problem && (
          <Alert
            color={wait > 0 ? "yellow" : "red"}
            icon={<IconAlertTriangle aria-hidden />}
            // Told once, not with each second.
            role={wait > 0 ? "timer" : "alert"}
          >
            {problem}
          </Alert>
        )}
        <Button type="submit" size="md" mt="xs" fullWidth loading={signIn.isPending} disabled={wait > 0}>
          {t("submit")}
        </Button>
      </Stack>
    </form>
  );
}

function problemOf(error: Error | null, wrong: string): string | null {
  if (error === null) return null;
  if (!(error instanceof ApiError)) return describeError(error);
  // The wait was counted down to its end: nothing stands in the way any more.
  if (error.reason === "throttled") return null;
  return error.reason === "invalid_credentials" ? wrong : describeError(error);
}
