"""What people see: pages, forms, live fragments. Texts stand in web/locale, looks in web/templates and web/static."""
